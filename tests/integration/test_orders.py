"""The orders in which long lists are offered are walked along an index, never sorted as a whole."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from tests.browser import PageClient
from tests.builders import Make

ORDERS = {
    "/admin/attendance/?sort=attendance_date": "idx_attendance_date_id",
    "/admin/attendance/?sort=status": "idx_attendance_status_id",
    "/admin/attendance/?sort=session": "idx_attendance_session_id",
    "/admin/attendance/?": "Attendance_pkey",
    "/admin/grade/?sort=grade_date": "idx_grade_date_id",
    "/admin/grade/?sort=grade": "idx_grade_grade_id",
    "/admin/grade/?sort=student": "idx_student_name",
    "/admin/student/?sort=full_name": "idx_student_name",
    "/admin/activitylog/?sort=timestamp": "idx_activitylog_timestamp",
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("end", ["", "&desc=1", "&page=-1"])
def test_a_long_list_is_walked_in_its_order(
    admin: PageClient, make: Make, session: Session, order: str, end: str
) -> None:
    make.attendance()
    make.grade()
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "JOIN (SELECT" in statement:
            asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert admin.get(order + end).status == 200
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    # So few rows are sorted in no time; told not to, PostgreSQL shows whether it could do without.
    session.execute(text("SET LOCAL enable_sort = off"))
    session.execute(text("SET LOCAL enable_seqscan = off"))
    ((statement, parameters),) = asked
    (plan,) = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).one()
    assert f'"Index Name": "{ORDERS[order]}"' in json.dumps(plan)
