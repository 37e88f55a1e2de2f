"""What the search box costs: the first answer to what people type, for an administrator and for a teacher.

Beside the time that passes stands the work, which another program on the machine does not lengthen: what processors
spent for the answer in the database and in the application together.
"""

import time
from collections.abc import Iterator
from statistics import median

import psutil
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from benchmarks.row_security import busiest_teacher
from fsms import policy
from fsms.models import Student
from fsms.policy import SYSTEM, Actor
from fsms.reports import finding

TYPED = {
    "a syllable": "s",
    "Latin for Khmer": "Sok Dara",
    "Khmer": "សុខ ដារ៉ា",
    "class and name": "7A dara",
    "phone": "012 34",
    "number": "412",
    "nobody": "Zzyzx",
}
WARM_UP = 3


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: milliseconds for each thing typed, by role."""
    policy.install(Session)
    engine = create_engine(url)
    with Session(engine) as owner, Session(engine) as teacher:
        policy.speak_for(owner, SYSTEM)
        pupils = owner.scalar(select(func.count()).select_from(Student)) or 0
        number, _rows = busiest_teacher(owner)
        policy.speak_for(teacher, Actor(number, "teacher"))
        yield f"{pupils:,} pupils on record; {runs} runs."
        yield ""
        yield "| typed | admin, ms | of which work | teacher, ms | of which work |"
        yield "|---|---|---|---|---|"
        for name, typed in TYPED.items():
            cells = " | ".join(_timed(session, typed, runs) for session in (owner, teacher))
            yield f"| {name} (`{typed}`) | {cells} |"
    engine.dispose()


def _timed(session: Session, typed: str, runs: int) -> str:
    for _ in range(WARM_UP):
        finding.find(session, typed)
    driver = session.connection().connection.driver_connection
    assert driver is not None
    database = psutil.Process(driver.info.backend_pid)
    times = []
    worked = _worked(database)
    for _ in range(runs):
        began = time.perf_counter()
        finding.find(session, typed)
        times.append((time.perf_counter() - began) * 1000)
    worked = (_worked(database) - worked) * 1000 / runs
    session.rollback()
    return f"{median(times):.1f} | {worked:.1f}"


def _worked(database: psutil.Process) -> float:
    spent = database.cpu_times()
    return spent.user + spent.system + time.process_time()
