"""Staff and pupils: who they are, before any class takes them in."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from fsms.demo import names, words
from fsms.demo.calendar import Year
from fsms.demo.homes import Home, draw_home, phone
from fsms.demo.plan import ADMINS, FIRST_PUPIL, Plan, stream
from fsms.vocabulary import Role, StudentStatus

_CHILDREN_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody with an account. The user names are fixed: people sign in with them."""

    number: int
    username: str
    role: Role
    last_name: str
    first_name: str
    phones: tuple[str | None, str | None]
    active: bool

    @property
    def full_name(self) -> str:
        """Family name first."""
        return f"{self.last_name} {self.first_name}"


@dataclass(slots=True)
class Pupil:
    """A pupil as the years go by: `level`, `year` and `status` are those of the latest year."""

    number: int
    last_name: str
    first_name: str
    female: bool
    born: date
    home: Home
    ability: float
    truancy: float
    level: int
    entered: Year
    year: Year
    section: int | None = None
    status: StudentStatus = StudentStatus.ACTIVE


def draw_staff(plan: Plan) -> tuple[Staff, ...]:
    """Draw the principal, the secretary and the teachers; the last teacher has left the school."""
    chance = stream(plan, "staff")
    return tuple(_draw_staff(chance, number, plan.staff) for number in range(1, plan.staff + 1))


def _draw_staff(chance: Random, number: int, last: int) -> Staff:
    return Staff(
        number=number,
        username=("admin", "secretary")[number - 1] if number <= ADMINS else f"teacher{number - ADMINS}",
        role=Role.ADMIN if number <= ADMINS else Role.TEACHER,
        last_name=names.family_name(chance).khmer,
        first_name=names.first_name(chance, female=number <= ADMINS or chance.random() < 0.6).khmer,
        phones=(phone(chance), phone(chance) if chance.random() < 0.3 else None),
        active=number < last,
    )


@dataclass
class Intake:
    """The registry's desk: gives every newcomer the next number, a name and a home, often a brother's or sister's.

    `children` counts the pupils of each home.
    """

    plan: Plan
    pupils: list[Pupil] = field(default_factory=list)
    children: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open one stream of chance for each thing drawn here."""
        self._chance = stream(self.plan, "pupils")
        self._homes = stream(self.plan, "homes")
        self._names = stream(self.plan, "names")

    def register(self, year: Year, level: int) -> Pupil:
        """Take in one pupil."""
        chance = self._chance
        born = self._birthday(year, level)
        female = chance.random() < 0.51
        home = self._home(born)
        last_name, first_name = self._name(home, female=female)
        pupil = Pupil(
            number=FIRST_PUPIL + len(self.pupils),
            last_name=last_name,
            first_name=first_name,
            female=female,
            born=born,
            home=home,
            ability=min(9.4, max(3.2, chance.gauss(6.7, 1.25))),
            truancy=min(0.2, chance.expovariate(70)),
            level=level,
            entered=year,
            year=year,
        )
        self.pupils.append(pupil)
        return pupil

    def _birthday(self, year: Year, level: int) -> date:
        """Draw a day that makes the pupil six at the start of grade 1, or a year or two more for late starters."""
        turned = 5 + level + self._chance.choices((0, 1, 2), (86, 11, 3))[0]
        latest = date(year.begins - turned, 10, 31)
        return latest - timedelta(days=self._chance.randrange(365))

    def _home(self, born: date) -> Home:
        if self.pupils and self._chance.random() < 0.24:
            other = self._chance.choice(self.pupils)
            apart = abs((other.born - born).days)
            if 330 < apart < 5000 and self.children[other.home.number] < _CHILDREN_AT_MOST:
                self.children[other.home.number] += 1
                return other.home
        home = draw_home(self._homes, len(self.children))
        self.children.append(1)
        return home

    def _name(self, home: Home, *, female: bool) -> tuple[str, str]:
        """Draw a name; now and then one that another pupil bears already, as happens at every school."""
        chance = self._names
        if self.pupils and chance.random() < 0.008:
            namesake = chance.choice(self.pupils)
            if namesake.female == female and namesake.home is not home:
                return namesake.last_name, namesake.first_name
        first = names.first_name(chance, female=female)
        return home.family_name.as_family_name(latin=home.latin), first.as_first_name(latin=home.latin)


def position_of(staff: Staff, homeroom: int | None) -> str:
    """Name the post, as the school's cards print it; `homeroom` is the level of the class the teacher leads."""
    if staff.role is Role.ADMIN:
        return words.HEADMISTRESS if staff.number == 1 else words.SECRETARY
    return words.TEACHER if homeroom is None else words.CLASS_TEACHER.format(level=homeroom)
