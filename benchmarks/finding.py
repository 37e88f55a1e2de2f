"""What the search box costs: the first answer to what people type, for an administrator and for a teacher."""

import time
from collections.abc import Iterator
from statistics import median, quantiles

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
        yield "| typed | admin, ms | slowest of 20 | teacher, ms | slowest of 20 |"
        yield "|---|---|---|---|---|"
        for name, typed in TYPED.items():
            cells = " | ".join(_timed(session, typed, runs) for session in (owner, teacher))
            yield f"| {name} (`{typed}`) | {cells} |"
    engine.dispose()


def _timed(session: Session, typed: str, runs: int) -> str:
    times = []
    for run in range(WARM_UP + runs):
        session.rollback()
        began = time.perf_counter()
        finding.find(session, typed)
        if run >= WARM_UP:
            times.append((time.perf_counter() - began) * 1000)
    return f"{median(times):.1f} | {quantiles(times, n=20)[-1]:.1f}"
