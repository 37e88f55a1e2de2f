"""Every address the application answers at, with something sensible where a part of it varies."""

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

FILLED = {"export_type": "csv", "path": "x", "filename": "css/school.css", "template": "x"}


def every_address(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Fill in the varying parts of each rule, a number or a word."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        numbers = {name for name, part in rule._converters.items() if isinstance(part, IntegerConverter)}
        values = {name: 1 if name in numbers else FILLED.get(name, "x") for name in rule.arguments}
        yield rule, adapter.build(rule.endpoint, values, method=min(rule.methods or {"GET"}))
