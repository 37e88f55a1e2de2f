"""A server as people start it: `fsms serve` in a process of its own, on data of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fsms.config import ROOT

PATIENCE_SECONDS = 180


class Served:
    """A server that was started by command, and what it printed."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.printed = data_dir / "printed.txt"
        self.data_dir = data_dir / "a school’s data"
        environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRET_KEY"}}
        environment |= {
            "FSMS_DATA_DIR": str(self.data_dir),
            "FSMS_BCRYPT_COST": "4",
            "PORT": str(self.port),
            **settings,
        }
        command = [sys.executable, "-m", "fsms.cli", "serve", "--prepare"]
        with self.printed.open("w") as printed:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=printed, stderr=subprocess.STDOUT
            )

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get("/healthz")
            except OSError:
                time.sleep(0.1)
            else:
                return
        pytest.fail(f"The server did not answer:\n{self.printed.read_text()}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
