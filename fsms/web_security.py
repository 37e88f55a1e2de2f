"""What protects every page: CSRF tokens, the content security policy and its companions, honest proxies and hosts."""

from functools import lru_cache
from typing import Any

from flask import Flask, Response, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from itsdangerous import URLSafeTimedSerializer
from werkzeug.exceptions import SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

from fsms.config import Settings

SELF = "'self'"
# No `unsafe-*`: scripts and styles come from files of our own or carry the page's nonce.
CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": SELF,
    "style-src": SELF,
    "img-src": SELF,
    "font-src": SELF,
    "connect-src": SELF,
    "manifest-src": SELF,
    "worker-src": SELF,
    "form-action": SELF,
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
UNUSED_POWERS = ("camera", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")


class SchoolSession(SecureCookieSessionInterface):
    """A session cookie that travels by https only, wherever https is what the browser used."""

    def __init__(self) -> None:
        """Begin without anything that signs."""
        self._signing: dict[Any, URLSafeTimedSerializer | None] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Make what signs the cookie once for its keys, where upstream makes it twice a request."""
        keys = app.secret_key, *(app.config["SECRET_KEY_FALLBACKS"] or ())
        if keys not in self._signing:
            self._signing[keys] = super().get_signing_serializer(app)
        return self._signing[keys]

    def get_cookie_secure(self, app: Flask) -> bool:
        """Ask the request; a panel on a school's own network may run without a certificate."""
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Leave files alone: they are the same for everybody, and a proxy may keep them."""
        if request.endpoint != "static":
            super().save_session(app, session, response)


class Headers(Talisman):  # type: ignore[misc]  # it carries no types
    """The headers of a page; a policy is written out once, and each page's nonce put into it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Begin with nothing written."""
        self._around_the_nonces: dict[int, list[str]] = {}
        self._options: dict[str | None, dict[str, Any]] = {}
        super().__init__(*given, **named)

    def _get_local_options(self) -> dict[str, Any]:
        endpoint = request.endpoint
        if endpoint not in self._options:  # asked five times a request, and always the same of a view
            self._options[endpoint] = super()._get_local_options()
        return self._options[endpoint]

    def _parse_policy(self, policy: Any) -> str:
        nonce = getattr(request, "csp_nonce", "")
        if not nonce:  # refused before it was made
            return str(super()._parse_policy(policy))
        if id(policy) not in self._around_the_nonces:
            self._around_the_nonces[id(policy)] = super()._parse_policy(policy).split(nonce)
        return nonce.join(self._around_the_nonces[id(policy)])


def install(app: Flask, settings: Settings) -> None:
    """Put the protection around the application."""
    app.session_interface = SchoolSession()
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    if settings.trusted_hosts:
        app.config["TRUSTED_HOSTS"] = list(settings.trusted_hosts)
        app.before_request(_refuse_other_hosts)
    Headers(
        app,
        force_https=False,  # the proxy's business; HSTS is sent wherever https is used
        session_cookie_secure=False,  # decided for each request above
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy=dict.fromkeys(UNUSED_POWERS, "()"),
        content_security_policy=CONTENT_SECURITY_POLICY,
        content_security_policy_nonce_in=["script-src", "style-src"],
    )

    @app.after_request
    def _keep_pages_private(response: Response) -> Response:
        # A shared computer's back button must not show marks to the next person.
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _refuse_other_hosts() -> ResponseReturnValue | None:
    """Answer without a page: under a name that is not ours no address can be built, so none could be linked."""
    if isinstance(request.routing_exception, SecurityError):
        return "This is not the address of the school's panel.", 400, {"Content-Type": "text/plain; charset=utf-8"}
    return None


def guard_forms(app: Flask) -> None:
    """Ask every form for the token of its session; called last, since a refusal is a page that needs all the rest."""
    CSRFProtect(app)
    app.jinja_env.globals["csrf_token"] = _token


def _token() -> str:
    """Give a form the token of its session, which is signed once: it may be used as long as the session lasts."""
    raw = session.get("csrf_token")
    if raw is None or "csrf_token" in g:  # made in this request, perhaps for the session before
        return str(generate_csrf())
    return _signed(raw, current_app.secret_key)


@lru_cache(2_000)
def _signed(_raw: str, _key: object) -> str:
    """Sign the token of this request's session; another session, and another key, have another."""
    return str(generate_csrf())
