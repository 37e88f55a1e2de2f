"""Who is at the screen: Flask-Login's part, how long a session lasts, and in whose name the database is asked."""

import hmac
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, has_request_context, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from fsms import activity, clock, policy
from fsms.activity import Circumstances
from fsms.database import db
from fsms.models import User
from fsms.office import SavedView
from fsms.operations import accounts, preferences
from fsms.policy import SYSTEM, Actor, set_attendance_rules, speak_for

# Under this name the session, and between sessions the account, keeps how somebody wants the screen.
SCREEN = "screen"
LONGEST_SESSION_SECONDS = 12 * 60 * 60
WARNING_SECONDS = 120
BEAT_SECONDS = 0.1

# These ask for no account and never look for one.
FOR_EVERYBODY = frozenset({"static", "healthz"})
# These answer strangers as well; everything else asks for an account.
OPEN_ENDPOINTS = frozenset({"login", "language", "appearance", "session_state"})
# What a page asks by itself does not keep a session alive: only a person does.
BACKGROUND_ENDPOINTS = frozenset({"session_state"})
BACKGROUND_HEADER = "X-Background"
# All that is open to somebody who still has to choose an own password.
BEFORE_A_NEW_PASSWORD = OPEN_ENDPOINTS | {"account", "logout", "session_extend"}


ACCOUNT = select(
    User.user_id.label("user_id"),
    User.username,
    User.full_name.label("full_name"),
    User.role,
    User.status,
    User.password,
    User.password_change_required.label("must_change_password"),
    exists().where(or_(SavedView.shared, SavedView.user_id == User.user_id)).correlate(User).label("has_views"),
).where(User.user_id == policy.ACCOUNT)
"""What is read with each request."""


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """The account behind a request, detached from the database session."""

    user_id: int
    username: str
    full_name: str
    role: str
    must_change_password: bool
    has_views: bool
    """Whether any list has a saved view for this account; most have none, and then no list looks for them."""
    actor: Actor = field(init=False)
    """The one in whose name the database is asked."""

    def __post_init__(self) -> None:
        """Make the actor once: a page asks for it forty times."""
        object.__setattr__(self, "actor", Actor(self.user_id, self.role))

    @classmethod
    def of(cls, user: User) -> Self:
        """Copy what the screens need of an account."""
        return cls(
            user_id=user.user_id,
            username=user.username,
            full_name=user.full_name,
            role=user.role,
            must_change_password=user.password_change_required,
            has_views=True,
        )

    def get_id(self) -> str:
        """Say the text that the session cookie keeps."""
        return str(self.user_id)


@contextmanager
def as_system(on_behalf_of: int | None = None) -> Iterator[Session]:
    """Give a session of its own with every right, committed at the end, to look after accounts.

    Signing in happens before anybody is known, and a teacher's session reads no hash and no phone number. What the
    request's own session read is done by then: one request holds one connection.
    """
    policy.let_go(db.session)
    with db.session.session_factory() as apart:
        speak_for(apart, Actor(on_behalf_of, SYSTEM.role))
        activity.set_circumstances(apart, _circumstances())
        with apart.begin():
            yield apart


# ---- Coming and going ---------------------------------------------------------------------------------------------


def enter(username: str, password: str) -> SignedIn | None:
    """Start the session of the account that name and password open; None does not say what was wrong."""
    began = time.perf_counter()
    with as_system() as apart:
        user = accounts.authenticate(apart, username, password, cost=_cost(), ip=request.remote_addr)
        entered = (SignedIn.of(user), _fingerprint(user.password)) if user else None
    if entered is None:
        g.sign_in_failed = True
        time.sleep(rest_of_beat(time.perf_counter() - began))
        return None
    account, fingerprint = entered
    _start_anew()
    session.permanent = True
    session["fingerprint"] = fingerprint
    session["since"] = session["seen"] = _seconds_now()
    session[SCREEN] = {**session.get(SCREEN, {}), **_remembered_screen(account)}
    login_user(account)
    return account


def rest_of_beat(elapsed: float) -> float:
    """Say how many seconds a refusal still waits, so that all refusals are given on a beat.

    A wrong password of a known name is counted, which takes some milliseconds that an unknown name does not; they
    must not tell the two apart.
    """
    return -elapsed % BEAT_SECONDS


def leave() -> None:
    """End the session."""
    if current_user.is_authenticated:
        with as_system(current_user.user_id) as apart:
            accounts.sign_out(apart, current_user.user_id, ip=request.remote_addr)
    logout_user()
    _start_anew()


def choose_password(*, old: str, new: str) -> bool:
    """Change the own password: every other session of the account ends, this one goes on. False: the old is wrong."""
    user_id, ip = current_user.user_id, request.remote_addr
    with as_system(user_id) as apart:
        if not accounts.change_password(apart, user_id, old=old, new=new, cost=_cost(), ip=ip):
            return False
        session["fingerprint"] = _fingerprint(apart.get_one(User, user_id).password)
    return True


_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f]")


def own_page(target: str | None) -> str | None:
    """Return the target if it is a path of this site: redirects go nowhere else."""
    if not target or _NO_ADDRESS.search(target):
        return None
    if not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


# ---- How long a session lasts -------------------------------------------------------------------------------------


def seconds_left() -> int:
    """Say how long the session goes on if nobody does anything; 0 without one."""
    seen, since = session.get("seen"), session.get("since")
    if seen is None or since is None:
        return 0
    idle = current_app.config["SETTINGS"].idle_minutes * 60
    ends = min(seen + idle, since + LONGEST_SESSION_SECONDS)
    return max(0, int(ends) - _seconds_now())


def warning_seconds() -> int:
    """Say how long before the end of a session the browser warns."""
    return min(WARNING_SECONDS, int(current_app.config["SETTINGS"].idle_minutes) * 30)


def _start_anew() -> None:
    """Empty the session: nothing of one person is carried over to the next, but how the screen looks."""
    screen = session.get(SCREEN)
    session.clear()
    if screen:
        session[SCREEN] = screen


def _remembered_screen(account: SignedIn) -> dict[str, str]:
    """Bring back what somebody chose on whichever device: what stands at the door was chosen by whoever was there."""
    with as_system(account.user_id) as apart:
        kept = preferences.read(apart, SCREEN, {})
    return kept if isinstance(kept, dict) else {}


def _fingerprint(password: str) -> str:
    """Mark a session with the (hashed) password it was begun with: another password, and the session is over."""
    key = str(current_app.secret_key).encode()
    return hmac.digest(key, password.encode(), "sha256").hex()


def _circumstances() -> Circumstances | None:
    """Say from where an act comes; the command line comes from nowhere."""
    if not has_request_context():
        return None
    return Circumstances(ip=request.remote_addr, request=g.setdefault("request_id", secrets.token_hex(6)))


def _seconds_now() -> int:
    return int(clock.now().timestamp())


def _cost() -> int:
    return int(current_app.config["SETTINGS"].bcrypt_cost)


# ---- Each request -------------------------------------------------------------------------------------------------


def install(app: Flask) -> None:
    """Give the application its sign-in: who is loaded from a session, and what strangers may open.

    To be called before the forms' tokens are checked: whose session is over shall read so, and not of a token.
    """
    manager = LoginManager(app)
    manager.session_protection = None
    manager.user_loader(_load)
    # A page that looks after its session by itself must not lengthen it.
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    app.jinja_env.globals.update(session_seconds_left=seconds_left, session_warning_seconds=warning_seconds)
    app.before_request(_know_who_asks)


def _load(user_id: str) -> SignedIn | None:
    """Find the account of a session, unless the session or the account has ended meanwhile."""
    # Asked a second time, the first has failed: then the page that says so is made without an account.
    if g.get("asked_for_account") or not seconds_left():
        return None
    g.asked_for_account = True
    own = db.session()
    set_attendance_rules(own, current_app.config["SETTINGS"].attendance)
    found = policy.begin_for(own, int(user_id), ACCOUNT)
    if found is None or not hmac.compare_digest(session.get("fingerprint", ""), _fingerprint(found.pop("password"))):
        speak_for(own, None)
        return None
    del found["status"]
    return SignedIn(**found)


def _know_who_asks() -> Any:
    """Load the account, let the database answer in its name, and send strangers to the door. The one place of it."""
    if request.endpoint in FOR_EVERYBODY:
        return None
    if current_user.is_authenticated:
        activity.set_circumstances(db.session, _circumstances())
        if request.endpoint not in BACKGROUND_ENDPOINTS and BACKGROUND_HEADER not in request.headers:
            _note_a_sign_of_life()
        return _ask_for_new_password() if current_user.must_change_password else None
    if "_user_id" in session:
        _start_anew()
    return None if request.endpoint in OPEN_ENDPOINTS else _ask_to_sign_in()


def _note_a_sign_of_life() -> None:
    """Let the session last from now on; one that was seen in this very second is not signed anew."""
    if session.get("seen") != (now := _seconds_now()):
        session["seen"] = now


def _ask_to_sign_in() -> Any:
    if request.endpoint == "logout":
        return redirect(url_for("login"))
    if request.method != "GET" or _is_asked_by_script():
        abort(401)
    return redirect(url_for("login", next=request.full_path.rstrip("?")))


def _ask_for_new_password() -> Any:
    if request.endpoint in BEFORE_A_NEW_PASSWORD:
        return None
    if _is_asked_by_script():
        abort(403)
    return redirect(url_for("account"), 303)


def _is_asked_by_script() -> bool:
    """Say whether a script waits for the answer, which can do nothing with a page."""
    return request.accept_mimetypes.best == "application/json" or request.headers.get("Sec-Fetch-Dest") == "empty"
