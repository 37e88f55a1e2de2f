"""The homes pupils come from: who answers for them, where they live and how. Brothers and sisters share one."""

from dataclasses import dataclass
from random import Random

from fsms.demo import names, words
from fsms.vocabulary import HelpFrequency, LivingCondition, Relation, Religion

_PREFIXES = ("010", "011", "012", "015", "016", "017", "069", "070", "077", "078", "081", "085", "086", "089", "092")
_COMPOSITIONS: tuple[tuple[int, str, tuple[Relation, ...]], ...] = (
    (66, "ឪពុកម្តាយ", (Relation.FATHER, Relation.MOTHER)),
    (12, "ឪពុកម្តាយ និងជីដូន", (Relation.FATHER, Relation.MOTHER, Relation.GRANDMOTHER)),
    (8, "ម្តាយ", (Relation.MOTHER,)),
    (3, "ឪពុក", (Relation.FATHER,)),
    (3, "ម្តាយ និងឪពុកចុង", (Relation.MOTHER, Relation.STEPFATHER)),
    (4, "ជីដូនជីតា", (Relation.GRANDMOTHER, Relation.GRANDFATHER)),
    (2, "មីង", (Relation.AUNT,)),
    (2, "អាណាព្យាបាល", (Relation.GUARDIAN,)),
)
_WOMEN = {Relation.MOTHER, Relation.GRANDMOTHER, Relation.AUNT}
_OLD = {Relation.GRANDMOTHER, Relation.GRANDFATHER}
_LIVING = (LivingCondition.GOOD, LivingCondition.MEDIUM, LivingCondition.POOR)
_RELIGIONS = (Religion.BUDDHISM, Religion.CHRISTIANITY, Religion.ISLAM, Religion.NONE)


@dataclass(frozen=True, slots=True)
class Adult:
    """Somebody at home who answers for the children."""

    relation: Relation
    last_name: str
    first_name: str
    phone: str | None
    occupation: str | None
    income: int | None
    believes: bool
    birth_district: str


@dataclass(frozen=True, slots=True)
class Help:
    """What the family gives the school."""

    amount: int
    frequency: HelpFrequency


@dataclass(frozen=True, slots=True)
class Home:
    """A household, numbered from nought."""

    number: int
    latin: bool
    family_name: names.Written
    adults: tuple[Adult, ...]
    lives_with: str
    house_number: str | None
    village: str
    commune: str
    district: str
    religion: Religion
    church: str | None
    living: LivingCondition
    poverty_card: bool
    owns_house: bool
    years_here: int
    known_through: str
    organisation: str | None
    help: Help | None
    wrote_family_form: bool


def phone(chance: Random) -> str | None:
    """Invent a number, written as the forms ask for it, or none; the zero behind the prefix keeps it from ringing."""
    if chance.random() < 0.12:
        return None
    return f"{chance.choice(_PREFIXES)} 0{chance.randrange(100):02} {chance.randrange(1000):03}"


def draw_home(chance: Random, number: int) -> Home:
    """Draw one household."""
    family_name = names.family_name(chance)
    latin = chance.random() < 0.15
    _, lives_with, relations = chance.choices(_COMPOSITIONS, [share for share, *_ in _COMPOSITIONS])[0]
    religion = chance.choices(_RELIGIONS, (86, 9, 4, 1))[0]
    district, communes = chance.choices(words.PLACES, words.PLACE_WEIGHTS)[0]
    living = chance.choices(_LIVING, (14, 56, 30))[0]
    poor = living is LivingCondition.POOR
    christian = religion is Religion.CHRISTIANITY
    return Home(
        number=number,
        latin=latin,
        family_name=family_name,
        adults=tuple(
            _draw_adult(chance, relation, family_name, latin=latin, living=living, christian=christian)
            for relation in relations
        ),
        lives_with=lives_with,
        house_number=str(chance.randint(1, 299)) if chance.random() < 0.6 else None,
        village=chance.choice(words.VILLAGES),
        commune=chance.choice(communes),
        district=district,
        religion=religion,
        church=chance.choice(words.CHURCHES) if christian else None,
        living=living,
        poverty_card=chance.random() < (0.5 if poor else 0.05),
        owns_house=chance.random() < 0.72,
        years_here=chance.randint(1, 30),
        known_through=chance.choice(words.KNOWN_THROUGH),
        organisation=chance.choice(words.ORGANISATIONS) if poor and chance.random() < 0.25 else None,
        help=_draw_help(chance) if not poor and chance.random() < 0.4 else None,
        wrote_family_form=chance.random() < 0.92,
    )


def _draw_adult(
    chance: Random,
    relation: Relation,
    family_name: names.Written,
    *,
    latin: bool,
    living: LivingCondition,
    christian: bool,
) -> Adult:
    woman, old = relation in _WOMEN, relation in _OLD
    last = family_name if relation is Relation.FATHER else names.family_name(chance)
    first = names.first_name(chance, female=woman)
    scale = {LivingCondition.GOOD: 2.2, LivingCondition.MEDIUM: 1.0, LivingCondition.POOR: 0.45}[living]
    income = int(chance.triangular(200_000, 1_300_000, 600_000) * scale * (0.4 if old else 1))
    return Adult(
        relation=relation,
        last_name=last.as_family_name(latin=latin),
        first_name=first.as_first_name(latin=latin),
        phone=phone(chance),
        occupation=chance.choice(words.OLD_PEOPLE_DO if old else words.OCCUPATIONS),
        income=min(2_500_000, max(100_000, round(income, -4))) if chance.random() < 0.9 else None,
        believes=chance.random() < (0.85 if christian else 0.03),
        birth_district=chance.choice(words.BIRTH_DISTRICTS),
    )


def _draw_help(chance: Random) -> Help:
    if chance.random() < 0.7:
        return Help(chance.randrange(5_000, 45_000, 5_000), HelpFrequency.MONTH)
    return Help(chance.randrange(50_000, 250_000, 10_000), HelpFrequency.YEAR)
