"""Names and numbers are found however they are typed: the keys the database keeps, and the questions asked of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select
from sqlalchemy import text as sql
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from fsms import policy, searching, text
from fsms.models import Guardian, Student, User
from fsms.policy import Actor
from tests.builders import Make
from tests.database import engine_of, migrated_template, scratch_database

# What typed finds whom: (last name, first name, phone) as kept.
PAIRS = [
    # Khmer, with and without marks that nobody sees, with and without spaces, in either order.
    ("សុខ ដារ៉ា", ("សុខ", "ដារ៉ា", None)),
    ("ដារ៉ា សុខ", ("សុខ", "ដារ៉ា", None)),
    ("សុខដារ៉ា", ("សុខ", "ដារ៉ា", None)),
    ("ដារ៉ាសុខ", ("សុខ", "ដារ៉ា", None)),
    ("សុខ\u200bដារ៉ា", ("សុខ", "ដារ៉ា", None)),
    ("សុ\u200bខ", ("សុខ", "ដារ៉ា", None)),
    ("សុខ ដា រ៉ា", ("សុខ", "ដារ៉ា", None)),
    ("ដារា", ("សុខ", "ដារ៉ា", None)),
    ("ចាន", ("ចាន់", "បុប្ផា", None)),
    ("បណ្ដិត", ("សុខ", "បណ្តិត", None)),
    ("សេាភា", ("កែវ", "សោភា", None)),
    ("ឫទ្ធី", ("កែវ", "រិទ្ធី", None)),
    # Latin letters for a name kept in Khmer, in either order, with other spellings.
    ("Sok Dara", ("សុខ", "ដារ៉ា", None)),
    ("dara sok", ("សុខ", "ដារ៉ា", None)),
    ("SOKDARA", ("សុខ", "ដារ៉ា", None)),
    ("Chan Bopha", ("ចាន់", "បុប្ផា", None)),
    ("Chhim Vibol", ("ឈឹម", "វិបុល", None)),
    ("Keo Sophea", ("កែវ", "សុភា", None)),
    ("Heng Sreyneang", ("ហេង", "ស្រីនាង", None)),
    ("Kim Bunthoeun", ("គឹម", "ប៊ុនធឿន", None)),
    ("Pich Samnang", ("ពេជ្រ", "សំណាង", None)),
    ("Mao Vanna", ("ម៉ៅ", "វណ្ណា", None)),
    # Khmer for a name kept in Latin letters.
    ("សុខ ដារ៉ា", ("SOK", "Dara", None)),
    ("ចាន់ សុភា", ("CHAN", "Sophea", None)),
    ("ប៊ុនធឿន", ("KIM", "Bunthoeun", None)),
    # Latin for Latin.
    ("sokh dara", ("SOK", "Dara", None)),
    ("Ly Sophi", ("LY", "Sophy", None)),
    # Phones.
    ("012 345 678", ("កែវ", "ធីតា", "012345678")),
    ("012345678", ("កែវ", "ធីតា", "012 345 678")),
    ("+855 12 345 678", ("កែវ", "ធីតា", "012 345 678")),
    ("012-345-678", ("កែវ", "ធីតា", "+855 12345678")),
    ("០១២៣៤៥៦៧៨", ("កែវ", "ធីតា", "012 345 678")),
    ("345 678", ("កែវ", "ធីតា", "012 345 678")),
    ("12345678", ("កែវ", "ធីតា", "012 345 678")),
    ("012 3", ("កែវ", "ធីតា", "099 888 777 / 012 345 678")),
    ("Thida 012 345", ("កែវ", "ធីតា", "012345678")),
    ("ធីតា 345678", ("កែវ", "ធីតា", "០១២ ៣៤៥ ៦៧៨")),
]
NEAR_MISSES = [
    ("សុខ ដារិន", ("សុខ", "ដារ៉ា", None)),
    ("សុក", ("សុខ", "ដារ៉ា", None)),
    ("ដារ៉ា ចាន់", ("សុខ", "ដារ៉ា", None)),
    ("Sok Dalin", ("សុខ", "ដារ៉ា", None)),
    ("Seng Dara", ("សុខ", "ដារ៉ា", None)),
    ("Chen Bopha", ("ចាន់", "បុប្ផា", None)),
    ("Keo Sophorn", ("កែវ", "សុភា", None)),
    ("សេង ដារ៉ា", ("SOK", "Dara", None)),
    ("012 345 679", ("កែវ", "ធីតា", "012 345 678")),
    ("678 345 012", ("កែវ", "ធីតា", "012 345 678")),
    ("+855 13 345 678", ("កែវ", "ធីតា", "012 345 678")),
    ("012 3", ("កែវ", "ធីតា", "016 068 123")),
    ("+855 12 3", ("កែវ", "ធីតា", "016 068 123")),
    ("%", ("សុខ", "ដារ៉ា", "012 345 678")),
    ("s_k", ("SOK", "Dara", None)),
    (".*", ("SOK", "Dara", None)),
    ("12", ("SOK", "Dara", "012 345 678")),
]

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)

AsTeacher = Callable[[], AbstractContextManager[Session]]

PUPIL = (Student.last_name, Student.first_name, Student.student_id, Student.phone)


@pytest.fixture
def user(make: Make) -> User:
    """A teacher."""
    return make.user()


@pytest.fixture
def as_teacher(session: Session, user: User) -> AsTeacher:
    """Open a session that speaks for the teacher, on the connection of the test."""

    @contextmanager
    def speaking() -> Iterator[Session]:
        number = user.user_id
        session.commit()
        with Sessions(bind=session.get_bind()) as opened:
            policy.speak_for(opened, Actor(number, "teacher"))
            yield opened

    return speaking


def _found(session: Session, typed: str) -> list[int]:
    asked = select(Student.student_id).where(searching.every_word_in(typed, PUPIL))
    return list(session.scalars(asked.order_by(Student.student_id)))


@pytest.mark.parametrize(("typed", "kept"), PAIRS)
def test_a_spelling_finds_the_pupil(session: Session, make: Make, typed: str, kept: tuple[str, str, str]) -> None:
    last, first, phone = kept
    make.student(last_name="អ៊ុច", first_name="អ៊ូអ៊ុំ", phone="099 999 999")
    pupil = make.student(last_name=last, first_name=first, phone=phone)

    assert _found(session, typed) == [pupil.student_id]


def test_there_are_thirty_pairs_and_more() -> None:
    assert len(PAIRS) >= 30


@pytest.mark.parametrize(("typed", "kept"), NEAR_MISSES)
def test_what_is_only_near_finds_nobody(session: Session, make: Make, typed: str, kept: tuple[str, str, str]) -> None:
    last, first, phone = kept
    make.student(last_name=last, first_name=first, phone=phone)

    assert _found(session, typed) == []


@pytest.mark.parametrize("digits", ["0123456789", "០១២៣៤៥៦៧៨៩"])
def test_a_pupil_is_found_by_number_in_either_digits(session: Session, make: Make, digits: str) -> None:
    pupil = make.student()
    make.student()
    typed = str(pupil.student_id).translate(str.maketrans("0123456789", digits))

    assert _found(session, typed) == [pupil.student_id]
    assert _found(session, f"#{typed}") == [pupil.student_id]


@pytest.mark.parametrize(
    "typed", ["99999999999999999999", "\x00", "a" * 5000, "៉" * 300, "(" * 50, "\\", "sok\ud800", " ", "½"]
)
def test_hostile_words_find_nobody_or_everybody_and_break_nothing(session: Session, make: Make, typed: str) -> None:
    make.student()

    assert len(_found(session, typed.encode("utf-8", "ignore").decode())) <= 1


def test_the_keys_follow_a_change_that_comes_from_outside(session: Session, make: Make) -> None:
    pupil = make.student(last_name="សុខ", first_name="ដារ៉ា")

    session.execute(sql('UPDATE "Student" SET "lastName" = \'ហេង\' WHERE "studentId" = :n'), {"n": pupil.student_id})

    assert _found(session, "Heng Dara") == [pupil.student_id]
    assert _found(session, "Sok Dara") == []


def test_the_log_tells_of_the_name_and_not_of_its_key(session: Session, make: Make) -> None:
    pupil = make.student(last_name="សុខ", first_name="ដារ៉ា", phone="012 345 678")

    session.execute(sql("SELECT set_config('fsms.logged', '', true)"))
    session.execute(sql('UPDATE "Student" SET "lastName" = \'ហេង\' WHERE "studentId" = :n'), {"n": pupil.student_id})

    told = session.scalar(sql("SELECT details -> 'changes' FROM \"ActivityLog\" ORDER BY id DESC LIMIT 1"))
    assert told == {"last_name": ["សុខ", "ហេង"]}


# ---- Roles ----------------------------------------------------------------------------------------------------------


def test_a_teacher_finds_the_own_pupils_and_their_guardians_only(as_teacher: AsTeacher, make: Make, user: User) -> None:
    taught, other = make.course(teacher=user), make.course()
    own, foreign = (make.student(last_name="សុខ", first_name="ដារ៉ា", phone="012 345 678") for _ in range(2))
    mine = make.guardian(student=own, last_name="ហេង", first_name="ធីតា", phone="092 111 222")
    make.guardian(student=foreign, last_name="ហេង", first_name="ធីតា", phone="092 111 222")
    make.enrollment(student=own, course=taught)
    make.enrollment(student=foreign, course=other)
    pupils, guardians = [own.student_id], [mine.guardian_id]

    with as_teacher() as teacher:
        for typed in ("Sok Dara", "ដារ៉ាសុខ", "012345678"):
            assert _found(teacher, typed) == pupils
        for typed in ("Heng Thida", "+855 92 111 222"):
            columns = (Guardian.last_name, Guardian.first_name, Guardian.phone)
            asked = select(Guardian.guardian_id).where(searching.every_word_in(typed, columns))
            assert list(teacher.scalars(asked)) == guardians


def test_a_teacher_finds_colleagues_by_name_and_is_refused_their_phones(as_teacher: AsTeacher, make: Make) -> None:
    colleague = make.user(last_name="ទេព", first_name="វិចិត្រ", phonenumber1="077 111 222").user_id

    with as_teacher() as teacher:
        assert list(teacher.scalars(select(User.user_id).where(searching.is_named(User, "Vichet")))) == [colleague]
        with pytest.raises(ProgrammingError, match="permission denied"):
            teacher.scalars(select(User.user_id).where(searching.has_phone(User, "077111222")))


# ---- The rule, in two languages -------------------------------------------------------------------------------------

TYPED = st.text(
    alphabet=st.sampled_from("កខគដតទបរសអញិីុូេើោាំះៈ៉៊់័៍្ឫឬឲ០១៩។ \u200b\u200d\u00a0aZkéÉ\u0301Ｄ0123456789+-()./'%_855"),
    max_size=30,
)


@pytest.fixture(scope="module")
def bare() -> Iterator[Connection]:
    """A connection that needs no rows."""
    with scratch_database("keys", migrated_template()) as url, engine_of(url) as engine, engine.connect() as connection:
        yield connection


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=TYPED)
def test_database_and_application_make_the_same_keys(bare: Connection, typed: str) -> None:
    name, phone = bare.execute(select(func.fsms_name_key(typed), func.fsms_phone_key(typed))).one()

    assert (name, phone) == (text.name_key(typed), text.phone_key(typed))


@pytest.mark.parametrize("table", ["Student", "Guardian", "User"])
def test_a_name_is_looked_for_in_the_index(bare: Connection, table: str) -> None:
    entity = {"Student": Student, "Guardian": Guardian, "User": User}[table]
    bare.execute(sql("SET LOCAL enable_seqscan = off"))

    for asked in (searching.is_named(entity, "Bunthoeun"), searching.is_named(entity, "សុខដារា")):
        statement = select(func.count()).select_from(entity).where(asked)
        literal = statement.compile(bare.engine, compile_kwargs={"literal_binds": True})
        plan = "\n".join(bare.scalars(sql(f"EXPLAIN {literal}".replace(":", "\\:"))))
        assert f"idx_{table.lower()}_name_key" in plan
    bare.rollback()
