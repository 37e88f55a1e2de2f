"""The school that is measured: built once in the embedded server, kept for the next run."""

import sys

import psycopg
from sqlalchemy import create_engine

from fsms import clock, demo, embedded, schema
from fsms.config import ROOT


def large_school(students: int, years: int) -> str:
    """Return the address of a demo school of that size, made now if it is not there yet."""
    share = embedded.share(ROOT / "instance" / "bench")
    name = f"bench_{students}_{years}_{clock.today():%Y%m%d}"
    with psycopg.connect(share.url, autocommit=True) as server:
        if server.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            return share.url_for(name)
        server.execute(f'create database "{name}"')
    sys.stderr.write(f"Building a school of {students:,} pupils and {years} years…\n")
    engine = create_engine(share.url_for(name))
    schema.upgrade(engine)
    engine.dispose()
    built(share.url_for(name), students, years)
    return share.url_for(name)


def built(url: str, students: int, years: int) -> None:
    """Fill a migrated database with a demo school."""
    nobody = "$2b$04$nobody-signs-in-here"
    plan = demo.Plan(students=students, years=years, today=clock.today(), password_hash=nobody)
    with psycopg.connect(url, autocommit=True) as connection:
        demo.build(connection, plan)
        connection.execute("vacuum analyze")
