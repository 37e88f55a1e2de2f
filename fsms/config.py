"""Settings, read from the environment once and frozen. The one place that knows the variables' names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GRADING_SCHEMES = ("plain", "school")


class BadSetting(Exception):
    """A variable of the environment cannot be used as it stands."""


@dataclass(frozen=True)
class AttendanceRules:
    """What the school has decided about attendance."""

    # How many days back a teacher may take attendance or correct it; administrators always may.
    open_days: int = 7
    # Monday is 1. On other days nobody misses a class that was not taken.
    school_days: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    # How much of a session counts as attended by a pupil who came late.
    late_percent: int = 100
    # Sessions absent in a row, and the share of a semester's sessions, from which somebody should call home.
    in_a_row: int = 3
    absent_percent: int = 10
    # Absences of a school year, an excused one counting half: from when to warn, and when a pupil may be dismissed.
    warn_at: int = 20
    dismiss_at: int = 30


@dataclass(frozen=True)
class Settings:
    """Everything an installation may choose."""

    # None: the embedded PostgreSQL under `data_dir`.
    database_url: str | None = None
    # Whether a named server keeps statements from one request to the next; what stands before it may not bear that.
    prepared_statements: bool = False
    secret_key: str | None = field(default=None, repr=False)
    data_dir: Path = ROOT / "instance"
    redis_url: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 4
    demo_password: str | None = field(default=None, repr=False)
    # Each step doubles the work of checking a password; 12 takes about a quarter of a second.
    bcrypt_cost: int = 12
    idle_minutes: int = 30
    # How many places a class has; None: nobody counts them.
    class_size: int | None = None
    # How marks make averages; `fsms.grading.SCHEMES` has the schemes of these names.
    grading_scheme: str = "plain"
    # How many proxies in front of the server may be believed about the caller's address and scheme.
    trusted_proxies: int = 0
    # Names under which the panel is reached; empty: any name.
    trusted_hosts: tuple[str, ...] = ()
    attendance: AttendanceRules = AttendanceRules()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; raise BadSetting where a number is no number or a needed value is missing."""
        given = {name: value for name in environ if (value := environ[name].strip())}
        settings = cls(
            database_url=given.get("DATABASE_URL"),
            prepared_statements=_one_of(given, "FSMS_PREPARED_STATEMENTS", "off", ("on", "off")) == "on",
            secret_key=given.get("SECRET_KEY"),
            data_dir=Path(given.get("FSMS_DATA_DIR", ROOT / "instance")).expanduser().absolute(),
            redis_url=given.get("REDIS_URL"),
            host=given.get("FSMS_HOST", cls.host),
            port=_number(given, "PORT", cls.port, lowest=1, highest=65535),
            workers=_number(given, "FSMS_WORKERS", cls.workers, lowest=1, highest=64),
            threads=_number(given, "FSMS_THREADS", cls.threads, lowest=1, highest=64),
            demo_password=given.get("FSMS_DEMO_PASSWORD"),
            bcrypt_cost=_number(given, "FSMS_BCRYPT_COST", cls.bcrypt_cost, lowest=4, highest=16),
            class_size=_number(given, "FSMS_CLASS_SIZE", 0, lowest=0, highest=500) or None,
            idle_minutes=_number(given, "FSMS_IDLE_MINUTES", cls.idle_minutes, lowest=1, highest=1440),
            grading_scheme=_one_of(given, "FSMS_GRADING_SCHEME", cls.grading_scheme, GRADING_SCHEMES),
            trusted_proxies=_number(given, "FSMS_TRUSTED_PROXIES", cls.trusted_proxies, lowest=0, highest=5),
            trusted_hosts=tuple(given.get("FSMS_TRUSTED_HOSTS", "").replace(",", " ").split()),
            attendance=_attendance(given),
        )
        if settings.database_url and not settings.secret_key:
            raise BadSetting(
                "SECRET_KEY is not set. With DATABASE_URL it must be given, the same for every server process: "
                "a long random text, for example from `python -c 'import secrets; print(secrets.token_hex(32))'`."
            )
        return settings


def _attendance(given: Mapping[str, str]) -> AttendanceRules:
    usual = AttendanceRules()
    return AttendanceRules(
        open_days=_number(given, "FSMS_ATTENDANCE_DAYS", usual.open_days, lowest=0, highest=366),
        school_days=_weekdays(given, "FSMS_SCHOOL_DAYS", usual.school_days),
        late_percent=_number(given, "FSMS_LATE_PERCENT", usual.late_percent, lowest=0, highest=100),
        in_a_row=_number(given, "FSMS_ABSENT_IN_A_ROW", usual.in_a_row, lowest=1, highest=100),
        absent_percent=_number(given, "FSMS_ABSENT_PERCENT", usual.absent_percent, lowest=1, highest=100),
        warn_at=_number(given, "FSMS_ABSENCES_WARN", usual.warn_at, lowest=1, highest=1000),
        dismiss_at=_number(given, "FSMS_ABSENCES_LIMIT", usual.dismiss_at, lowest=1, highest=1000),
    )


def _weekdays(given: Mapping[str, str], name: str, default: frozenset[int]) -> frozenset[int]:
    written = given.get(name)
    if written is None:
        return default
    if not written or set(written) - set("1234567"):
        raise BadSetting(f"{name} must be the numbers of weekdays from Monday, like 12345, not “{written}”.")
    return frozenset(map(int, written))


def _number(given: Mapping[str, str], name: str, default: int, *, lowest: int, highest: int) -> int:
    written = given.get(name, str(default))
    if not written.isascii() or not written.isdigit() or not lowest <= int(written) <= highest:
        raise BadSetting(f"{name} must be a whole number from {lowest} to {highest}, not “{written}”.")
    return int(written)


def _one_of(given: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    written = given.get(name, default)
    if written not in choices:
        raise BadSetting(f"{name} must be one of {', '.join(choices)}, not “{written}”.")
    return written
