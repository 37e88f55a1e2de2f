"""Builds the large demo school once and prints the ratios. ARGS="--students 600 --years 3" gives a quick look."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable

from benchmarks import activity_log, exports, finding, gradebook, load, pages, roster, row_security
from benchmarks.school import large_school
from fsms.config import ROOT

KEPT = ROOT / "build" / "bench.json"


def main() -> None:
    """Measure, print tables for docs/performance.md, and keep the figures as JSON."""
    asked = argparse.ArgumentParser(prog="make bench")
    asked.add_argument("--students", type=int, default=5000)
    asked.add_argument("--years", type=int, default=10)
    asked.add_argument("--runs", type=int, default=30)
    given = asked.parse_args()
    url = large_school(given.students, given.years)
    figures = {}
    for measured in (pages, exports, load, activity_log, row_security, finding, roster, gradebook):
        lines = []
        for line in measured.report(url, given.runs):
            sys.stdout.write(f"{line}\n")
            lines.append(line)
        figures[measured.__name__.rpartition(".")[2]] = rows_of(lines)
        sys.stdout.write("\n")
    KEPT.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    KEPT.write_text(json.dumps(vars(given) | {"machine": machine, "figures": figures}, indent=1, ensure_ascii=False))
    sys.stderr.write(f"The figures are kept in {KEPT.relative_to(ROOT)}.\n")


def rows_of(lines: Iterable[str]) -> list[dict[str, str]]:
    """Read the rows of Markdown tables, each cell by the heading of its column."""
    rows: list[dict[str, str]] = []
    headings: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if cells and headings and not line.startswith("|---"):
            rows.append(dict(zip(headings, cells, strict=True)))
        elif not line.startswith("|---"):
            headings = cells
    return rows


if __name__ == "__main__":
    main()
