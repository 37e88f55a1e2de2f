"""x."""
import pytest

@pytest.mark.parametrize("n", [1,2,3])
def test_all_open(admin, teacher, visitor, make, session, n, queries):
    s = make.student(first_name="Bopha")
    print(admin.get(f"/admin/student/edit/?id={s.student_id}").form().values)
    page = admin.submit(first_name="បុប្ផា ២")
    print(page.path, page.flashes, page.errors)
    assert s.first_name == "បុប្ផា ២"
    page = admin.submit("delete", id=[s.student_id])
    print(page.path, page.flashes)
    print(teacher.get("/admin/student/").rows, visitor.get("/admin/").path)
    with queries() as q:
        admin.get("/admin/student/")
    print(len(q))
    pass
