"""Which way of grading this school uses: the setting, as the arithmetic knows it."""

from decimal import Decimal

from flask import current_app

from fsms import grading


def in_use() -> grading.Scheme:
    """Give the scheme of FSMS_GRADING_SCHEME."""
    return grading.SCHEMES[current_app.config["SETTINGS"].grading_scheme]


def highest_mark() -> Decimal:
    """Say how much the best mark of any subject can be; what a subject of a class can reach, may be less."""
    return in_use().highest
