"""What an act takes: the time that passes, and the work of the processors, which other programs do not touch."""

import time
from collections.abc import Callable

import psutil


class Spent:
    """What an act took: the time that passed, and the work of the processors in the database and here."""

    def __init__(self, backend: int) -> None:
        """Watch a process of the database."""
        self.database = psutil.Process(backend)
        self.times: list[float] = []
        self.works: list[float] = []

    def on(self, act: Callable[[], None], *, counts: bool) -> None:
        """Do the act, and note what it took."""
        began, worked = time.perf_counter(), self._worked()
        act()
        if counts:
            self.times.append((time.perf_counter() - began) * 1000)
            self.works.append((self._worked() - worked) * 1000)

    def _worked(self) -> float:
        spent = self.database.cpu_times()
        return time.process_time() + spent.user + spent.system
