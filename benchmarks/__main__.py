"""Builds the large demo school once and prints the ratios. ARGS="--students 600 --years 3" gives a quick look."""

import argparse
import sys

from benchmarks import activity_log, finding, gradebook, roster, row_security
from benchmarks.school import large_school


def main() -> None:
    """Measure, and print a table for docs/performance.md."""
    asked = argparse.ArgumentParser(prog="make bench")
    asked.add_argument("--students", type=int, default=5000)
    asked.add_argument("--years", type=int, default=10)
    asked.add_argument("--runs", type=int, default=30)
    given = asked.parse_args()
    url = large_school(given.students, given.years)
    for measured in (activity_log, row_security, finding, roster, gradebook):
        for line in measured.report(url, given.runs):
            sys.stdout.write(f"{line}\n")
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
