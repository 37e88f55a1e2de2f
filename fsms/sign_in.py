"""Who is at the screen: password hashing, checking, and Flask-Login's part of it."""

import secrets
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import bcrypt
from flask import Flask, Response, abort, redirect, request, url_for
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fsms import clock, text
from fsms.database import db
from fsms.errors import InvalidValue
from fsms.models import User
from fsms.vocabulary import AccountStatus

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD_BYTES = 72  # bcrypt reads no further

# What answers without an account; everything else asks for one.
OPEN_ENDPOINTS = frozenset({"login", "static", "healthz"})


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """The account behind a request, detached from the database session."""

    user_id: int
    username: str
    full_name: str
    role: str

    @classmethod
    def of(cls, user: User) -> Self:
        """Copy what the screens need of an account."""
        return cls(user_id=user.user_id, username=user.username, full_name=user.full_name, role=user.role)

    def get_id(self) -> str:
        """Say the text that the session cookie keeps."""
        return str(self.user_id)


def hash_password(password: str, *, cost: int) -> str:
    """Return the bcrypt hash of an acceptable password; raise InvalidValue with the reason for another."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidValue(
            "Choose a password of at least %(count)s characters.", about="new_password", count=SHORTEST_PASSWORD
        )
    if len(password.encode()) > LONGEST_PASSWORD_BYTES:
        raise InvalidValue(
            "This password is too long: at most %(count)s bytes, which is 72 Latin or 24 Khmer characters.",
            about="new_password",
            count=LONGEST_PASSWORD_BYTES,
        )
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def password_matches(password: str, hashed: str) -> bool:
    """Compare in bcrypt's own time; a hash of another make matches nothing."""
    try:
        return bcrypt.checkpw(password.encode()[:LONGEST_PASSWORD_BYTES], hashed.encode())
    except ValueError:
        return False


def authenticate(session: Session, username: str, password: str, *, cost: int) -> User | None:
    """Return the active account that name and password open, or None without telling which of them was wrong."""
    name = text.clean(username).lower()
    user = session.scalar(select(User).where(func.lower(User.username) == name))
    # An unknown name costs the same work as a known one, so that the clock does not tell them apart.
    hashed = user.password if user else _hash_of_nothing(cost)
    if not password_matches(password, hashed) or user is None or user.status != AccountStatus.ACTIVE:
        return None
    user.last_login = clock.now()
    return user


_hashes_of_nothing: dict[int, str] = {}


def _hash_of_nothing(cost: int) -> str:
    if cost not in _hashes_of_nothing:
        _hashes_of_nothing[cost] = hash_password(secrets.token_hex(16), cost=cost)
    return _hashes_of_nothing[cost]


def own_page(target: str | None) -> str | None:
    """Return the target if it is a path of this site: redirects go nowhere else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or any(ord(c) < 32 for c in target) else target


def install(app: Flask) -> None:
    """Give the application its sign-in: who is loaded from a session, and what strangers may open."""
    manager = LoginManager(app)
    manager.session_protection = None

    @manager.user_loader
    def _load(user_id: str) -> SignedIn | None:
        if not user_id.isascii() or not user_id.isdigit():
            return None
        user = db.session.get(User, int(user_id))
        return SignedIn.of(user) if user and user.status == AccountStatus.ACTIVE else None

    @app.before_request
    def _ask_strangers_to_sign_in() -> Response | None:
        if request.endpoint in OPEN_ENDPOINTS or current_user.is_authenticated:
            return None
        if request.method != "GET" or request.accept_mimetypes.best == "application/json":
            abort(401)
        target = request.full_path.rstrip("?")
        return redirect(url_for("login", next=target))  # type: ignore[return-value]
