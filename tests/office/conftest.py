"""LibreOffice Calc, which reads files as the people of the office do. Only `make office` runs these tests."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE_SECONDS = 180

Convert = Callable[[bytes, str, str, str], bytes]
"""The fixture `calc`: what LibreOffice writes of a file, given its ending, how to read it, and what to write."""


@pytest.fixture
def calc(tmp_path: Path) -> Convert:
    """LibreOffice with a profile of its own, so that nobody's settings and no second window change what it reads."""
    program = shutil.which("soffice")
    if program is None:
        pytest.fail("No LibreOffice is installed. On Debian: apt-get install libreoffice-calc")
    home = tmp_path / "home"
    home.mkdir()

    def _converted(file: bytes, ending: str, reading: str, written: str) -> bytes:
        there = tmp_path / f"taken.{ending}"
        there.write_bytes(file)
        words = [program, f"-env:UserInstallation={home.as_uri()}", "--headless", "--convert-to", written]
        words += [f"--infilter={reading}"] if reading else []
        done = subprocess.run(
            [*words, "--outdir", str(tmp_path / "read"), str(there)],
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        made = tmp_path / "read" / f"taken.{written.partition(':')[0]}"
        assert made.exists(), done.stdout + done.stderr
        return made.read_bytes()

    return _converted
