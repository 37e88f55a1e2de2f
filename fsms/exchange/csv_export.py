"""A list as CSV that opens right in Excel, in Khmer, and starts no formula."""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

BYTE_ORDER_MARK = "\ufeff"  # Without it Excel takes UTF-8 for the machine's old code page.

# A cell that begins so is run by spreadsheets as a formula, whoever typed it into a name.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(file: TextIO, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write headings and rows as RFC 4180 has it, and return how many rows there were."""
    writer = csv.writer(file)
    file.write(BYTE_ORDER_MARK)
    writer.writerow([harmless(heading) for heading in headings])
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last count is the answer
        writer.writerow([harmless(cell) for cell in row])
    return count


def harmless(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; it shows the text and does nothing."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
