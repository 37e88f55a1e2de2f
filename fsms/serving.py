"""Serving the application with gunicorn: processes and threads by the settings, a graceful stop. Knows no page."""

import gc
import select
import signal
import socket
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from fsms.config import Settings
from fsms.database import db

# A download of two million rows or a large import may take its time; a hung request may not take for ever.
LONGEST_REQUEST_SECONDS = 300
GRACE_SECONDS = 20
SIGN_OF_LIFE_SECONDS = 1.0
"""So often a process says that it lives; it is missed after `LONGEST_REQUEST_SECONDS`."""


class FairWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn's wheel carries no types
    """Takes another caller only while one of its threads is free: where none is, another process may have one.

    Upstream takes up to a thousand, so that of eight browsers that come at once one process may get all.
    """

    @property
    def worker_connections(self) -> int:
        """How many callers may be held now: those waited for, and one for each thread."""
        waited_for = len(self.keepalived_conns) + len(self.pending_conns)
        return min(self._most, self.cfg.threads + waited_for)

    @worker_connections.setter
    def worker_connections(self, most: int) -> None:
        self._most = most

    _said_at = -SIGN_OF_LIFE_SECONDS
    """When the process last said that it lives, by the clock that only goes on."""

    def notify(self) -> None:
        """Say that the process lives: upstream writes to its file four times a request, a tenth of all it does."""
        now = time.monotonic()
        if now - self._said_at >= SIGN_OF_LIFE_SECONDS:
            self._said_at = now
            super().notify()

    def handle(self, conn: Any) -> Any:
        """Answer a caller; one who has spoken already, as nearly all have, is not waited for with a selector."""
        if not conn.initialized and not conn.data_ready:
            conn.data_ready = _has_spoken(conn.sock)
        return super().handle(conn)


def _has_spoken(caller: socket.socket) -> bool:
    looking = select.poll()
    looking.register(caller, select.POLLIN)
    return bool(looking.poll(0))


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn's wheel carries no types
    """One application, made before the workers are forked, so that they share its memory."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        """Keep what gunicorn asks for while it starts."""
        self.application = app
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings into gunicorn's."""
        chosen: dict[str, Any] = {
            "bind": f"{self.settings.host}:{self.settings.port}",
            "workers": self.settings.workers,
            "threads": self.settings.threads,
            "worker_class": FairWorker,
            "timeout": LONGEST_REQUEST_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": 5,
            "preload_app": True,
            "post_fork": _forget_connections,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "fsms",
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Hand over the application."""
        return self.application


def serve(app: Flask, settings: Settings) -> None:
    """Answer requests until told to stop."""
    # Before the workers are forked: one that is busy with it would miss the signal to stop.
    spare_the_collector()
    Server(app, settings).run()


def spare_the_collector() -> None:
    """Let Python look for garbage among what requests make, and not in the application again and again.

    A page makes tens of thousands of small objects, nearly all gone by counting alone when it is sent; searched for
    cycles after every 700 of them, the page of a pupil takes twice as long.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _forget_connections(server: Any, _worker: Any) -> None:
    """Let each worker open connections of its own: a socket must not be shared over a fork."""
    # Until the worker listens itself, a signal to stop would go where its parent's do: nowhere.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    app = server.app.application
    with app.app_context():
        db.engine.dispose(close=False)
