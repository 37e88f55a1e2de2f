"""How a name may stand in the other script: a typed word becomes a pattern over the keys of names.

There is no one spelling of a Khmer name in Latin letters (ឈឹម is Chhim or Chhem, សុភា Sophea or Sopheea), so nothing is
transliterated and stored. What is typed is read sound by sound, by the two tables below, into a regular expression of
all that may be meant; PostgreSQL compares it with the key of each name (`text.name_key`), whichever script it is in.
docs/decisions/search.md says what it bridges and what it does not. Knows no table of the database.
"""

import re
from collections.abc import Callable, Iterable, Iterator

# What each consonant is written as in Latin letters, most usual first.
CONSONANTS: dict[str, str] = {
    "ក": "k c g",
    "ខ": "kh k",
    "គ": "k g c kh",
    "ឃ": "kh k",
    "ង": "ng",
    "ច": "ch c",
    "ឆ": "chh ch",
    "ជ": "ch j c chh",
    "ឈ": "chh ch",
    "ញ": "nh gn n",
    "ដ": "d t th",
    "ឋ": "th t",
    "ឌ": "d",
    "ឍ": "th t",
    "ណ": "n",
    "ត": "t th d",
    "ថ": "th t",
    "ទ": "t th d",
    "ធ": "th t",
    "ន": "n",
    "ប": "b p",
    "ផ": "ph p f",
    "ព": "p b ph",
    "ភ": "ph p f",
    "ម": "m",
    "យ": "y",
    "រ": "r",
    "ល": "l",
    "វ": "v w",
    "ឝ": "s",
    "ឞ": "s",
    "ស": "s",
    "ហ": "h",
    "ឡ": "l",
    "ំ": "m",
}

# What a letter is written as inside a name only: តារា is Tara and never Dara, but ឧត្តម is Oudom.
_INSIDE = {"ត": "d", "ទ": "d", "ដ": "t th"}

# And each vowel, after consonants of both series; the first line is the vowel that is heard and not written.
VOWELS: dict[str, str] = {
    "": "a o u ea or oa ar",
    "ា": "a ea ia ie oa ar aa ear",
    "ិ": "e i ei",
    "ី": "ei ey i y ee",
    "ឹ": "oe eu i e u ue",
    "ឺ": "eu oeu ue u oe",
    "ុ": "o u ou oo",
    "ូ": "o ou u oo",
    "ួ": "uo ua ou uor our",
    "ើ": "ae eu oeu aeu er oe oeur eur",
    "ឿ": "oeu eua oe eu oeur eur",
    "ៀ": "ie ea ia e",
    "េ": "e ei i ey ee",
    "ែ": "ae e ea",
    "ៃ": "ai ay ey ei y",
    "ោ": "ao o ou or",
    "ៅ": "au ao ov ou eou av aw ow",
    "ះ": "ah eah as a",
    "ៈ": "ak eak a eah",
    "ាយ": "ay ai",
    "ួយ": "uoy uy oy",
    "ោយ": "oy aoy",
    "ុយ": "uy oy",
    "យ": "ay ey ai y",
    "ិយ": "y i ey iy",
    "ីយ": "iy y ey",
    "េយ": "ey ei",
    "ាវ": "av ao au",
    "ែវ": "eo ev aev eav",
    "ៀវ": "iev eo iv iew",
    "េវ": "ev eo",
    "ិវ": "iv ev",
    "ីវ": "iv yv eyv",
    "ិះ": "is es eh ih",
    "ុះ": "os us oh uh",
    "េះ": "es is eh",
    "ោះ": "os oh",
    "ុវ": "ov uv",
    "ូវ": "ov ouv",
    "វ": "ov av or",
    "ឥ": "i e",
    "ឦ": "ei ey i",
    "ឧ": "o u ou",
    "ឩ": "ou u o",
    "ឯ": "ae e",
    "ឱ": "ao o",
    "ឪ": "ov au",
}

# Latin spellings that stand for one another, in names that are kept in Latin letters.
ALIKE = (
    "i y ee ey ei",
    "u ou oo",
    "o or",
    "a ar",
    "ao au av aw ow ov",
    "ai ay",
    "ea ia ie",
    "eu oeu oe ue",
    "k kh",
    "ch chh j",
    "t th",
    "p ph f",
    "v w",
    "n nh",
)

KHMER = re.compile(r"[\u1780-\u17b3\u17b6-\u17d2]")
LONGEST = 40

_COENG = "\u17d2"  # Writes the next letter below the line, and small.
_LETTER = "[ក-អ]"
_FAMILIES = ("កខគឃ", "ចឆជឈ", "ដឋឌឍតថទធ", "បផពភ", "ញណន")
_DOUBLED = re.compile(r"([bcdfgjklmnpqrstvwxz])\1")


def pattern(word: str, *, anywhere: bool = False) -> str | None:
    """Return a regular expression over name keys for what the key of a word may mean in the other script.

    None where nothing can be said: of digits, of one Latin letter, of other scripts. What is sought anywhere in a name
    is found without the letters that may stand before or behind it, and what can begin or end in two ways, of which
    one holds the other, is found by the shorter: PostgreSQL would try all of it at every place of every name.
    """
    if not 1 < len(word) <= LONGEST:
        return None
    if KHMER.search(word):
        return "".join(_in_latin(word))
    if word.isascii() and word.isalpha():
        return f"{''.join(_in_khmer(word, anywhere=anywhere))}|{''.join(_alike(word, anywhere=anywhere))}"
    return None


def _longest_first(spellings: Iterable[str]) -> str:
    return "|".join(sorted(spellings, key=len, reverse=True))


def _any(spellings: str) -> str:
    return f"(?:{'|'.join(dict.fromkeys(spellings.split()))})"


# ---- Latin letters are typed ---------------------------------------------------------------------------------------


def _turned(table: dict[str, str]) -> dict[str, list[str]]:
    """Say what each Latin spelling may stand for."""
    found: dict[str, list[str]] = {}
    for khmer, spellings in table.items():
        for spelling in spellings.split():
            found.setdefault(spelling, []).append(khmer)
    return found


_CONSONANTS = _turned(CONSONANTS)
_VOWELS = _turned(VOWELS)

# A y before a vowel is a consonant; the r of "ara" and the k of "akh" belong to what follows.
_SOUNDS = re.compile(
    rf"(?P<vowel>(?!y[aeiou])(?:{_longest_first(_VOWELS)})(?!(?<=[^aeiouy])[aeiouyh]))"
    rf"|(?P<consonant>{_longest_first(_CONSONANTS)})"
    r"|(?P<other>.)"
)


def _in_khmer(word: str, *, anywhere: bool) -> Iterator[str]:
    sounds = [(found.lastgroup, found.group()) for found in _SOUNDS.finditer(_DOUBLED.sub(r"\1", word))]
    before = None
    for place, (kind, sound) in enumerate(sounds):
        after = sounds[place + 1][0] if place + 1 < len(sounds) else None
        if kind == "vowel":
            # Between two consonants it need not be written; at the end it is, unless the word goes on.
            unwritten = "អ" if before is None else "អ?" if after else f"(?={_LETTER}|ំ)" if before == "consonant" else ""
            yield _vowel(sound, unwritten)
        else:
            yield _consonant(
                sound,
                opens=before is None,
                may_begin=not anywhere or before is not None,
                may_end=not anywhere or after is not None,
            )
            if before == "vowel" and after == "consonant":
                yield f"(?:{_COENG}{_LETTER})*[ិុ]?"  # written, and not heard
        before = kind


def _vowel(sound: str, unwritten: str) -> str:
    heard = _VOWELS.get(sound, [])
    of_their_own = [sign for sign in heard if sign and sign in "ឥឦឧឩឪឯឱ"]
    signs = [sign for sign in heard if len(sign) == 1 and sign not in of_their_own]
    written = [f"[{''.join(of_their_own)}]"] if of_their_own else []
    written += [f"អ?[{''.join(signs)}]"] if signs else []
    written += [sign if sign[0] in "ឥឦឧឩឪឯឱ" else f"អ?{sign}" for sign in heard if len(sign) > 1]
    if "" in heard and unwritten:
        written.append(unwritten)
    if len(sound) > 1 and sound[-1] not in "aeiouy":
        written.append(_vowel(sound[:-1], unwritten) + _consonant(sound[-1]))
    return f"(?:{'|'.join(written)})"


def _consonant(sound: str, *, opens: bool = False, may_begin: bool = True, may_end: bool = True) -> str:
    letters = "".join(
        letter for letter in _CONSONANTS.get(sound, ()) if not (opens and sound in _INSIDE.get(letter, "").split())
    )
    if not letters:
        return re.escape(sound)
    family = next((family for family in _FAMILIES if letters[0] in family), letters)
    nasal = "ំ?" if sound == "ng" else ""
    # Where it may begin or end a match, a letter doubled by one of its own kind is found by the second or the first.
    is_doubled_by_itself = {*family} <= {*letters}
    before = f"{nasal}{_COENG}?" if may_begin else ""
    before += f"(?:[{family}]{_COENG})?" if may_begin and (may_end or not is_doubled_by_itself) else ""
    behind = f"(?:{_COENG}?[{family}])?" if may_end and (may_begin or not is_doubled_by_itself) else ""
    one = f"{before}[{letters}]{behind}"
    if sound not in {"kh", "nh", "th", "ph"}:
        return one
    return f"(?:{one}|{_consonant(sound[:-1], may_begin=may_begin)}{_COENG}?ហ)"


_ALIKE = {one: spellings.split() for spellings in ALIKE for one in spellings.split()}
_ALIKE_SOUNDS = re.compile(rf"{_longest_first(_ALIKE)}|.")


def _alike(word: str, *, anywhere: bool) -> Iterator[str]:
    sounds = [found.group() for found in _ALIKE_SOUNDS.finditer(_DOUBLED.sub(r"\1", word))]
    for place, sound in enumerate(sounds):
        spellings = _ALIKE.get(sound, [sound])
        opens, ends = anywhere and place == 0, anywhere and place == len(sounds) - 1
        if opens:
            spellings = _shortest(spellings, str.endswith)
        if ends:
            spellings = _shortest(spellings, str.startswith)
        doubled = "" if sound[0] in "aeiouy" or opens or ends else "+"
        yield f"(?:{'|'.join(spellings)}){doubled}" if len(spellings) > 1 or doubled else spellings[0]


def _shortest(spellings: list[str], holds: Callable[[str, str], bool]) -> list[str]:
    """Leave out the spellings that hold another one where a match ends or begins."""
    return [one for one in spellings if not any(one != other and holds(one, other) for other in spellings)]


# ---- Khmer is typed ------------------------------------------------------------------------------------------------

_AFTER_A_VOWEL = r"(?![\u17b6-\u17c8\u17d2])"  # what follows is not the vowel or the foot of its last letter
_SIGNS = re.compile(
    rf"(?P<vowel>អ?(?:{_longest_first(sign for sign in VOWELS if len(sign) > 1)}){_AFTER_A_VOWEL}"
    rf"|អ?[{''.join(sign for sign in VOWELS if len(sign) == 1 and sign not in 'យវ')}]|អ|(?<!^)យ{_AFTER_A_VOWEL})"
    rf"|(?P<cluster>[{''.join(CONSONANTS)}](?:{_COENG}[{''.join(CONSONANTS)}])*)"
    r"|(?P<other>.)"
)
_UNHEARD = _any(VOWELS[""]) + "?"


def _in_latin(word: str) -> Iterator[str]:
    signs = [(found.lastgroup, found.group()) for found in _SIGNS.finditer(word)]
    for place, (kind, sign) in enumerate(signs):
        after = signs[place + 1][0] if place + 1 < len(signs) else None
        if kind == "vowel":
            yield _any(VOWELS[sign.removeprefix("អ")]) + ("?" if after is None and sign in "ិុ" else "")
        elif kind == "cluster":
            yield from _cluster(sign, opens=place == 0)
        else:
            yield re.escape(sign)
        if after == "cluster" and (kind == "cluster" or sign[-1] in "យវ"):
            yield _UNHEARD


def _cluster(signs: str, *, opens: bool) -> Iterator[str]:
    """Read a consonant and its feet; a foot of the same family doubles it, another may be silent inside a word."""
    head, *feet = signs.split(_COENG)
    family = next((family for family in _FAMILIES if head in family), head)
    doubling = [foot for foot in feet if foot in family]
    spellings = " ".join(CONSONANTS[letter] for letter in (head, *doubling)).split()
    inside = _INSIDE.get(head, "").split() if opens else []
    yield _any(" ".join(one for one in spellings if one not in inside)) + "+"
    for foot in feet:
        if foot not in doubling:
            yield "a?" + _any(CONSONANTS[foot]) + ("+" if opens else "*")
