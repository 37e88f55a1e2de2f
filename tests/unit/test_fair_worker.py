"""How many callers a process takes, how it answers them, and how it says that it lives."""

import socket
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker

from fsms.serving import FairWorker


def test_a_process_takes_a_caller_for_each_thread_beside_those_it_waits_for() -> None:
    worker = FairWorker.__new__(FairWorker)
    worker.cfg = SimpleNamespace(threads=4)
    worker.keepalived_conns, worker.pending_conns = deque(), deque()
    worker.worker_connections = 1000

    assert worker.worker_connections == 4
    worker.keepalived_conns.extend(["a page was read", "and another one"])
    worker.pending_conns.append("nothing came yet")
    assert worker.worker_connections == 7
    worker.keepalived_conns.extend(["many"] * 2000)
    assert worker.worker_connections == 1000


def test_a_process_says_that_it_lives_once_a_second_and_not_at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = [100.0], []
    monkeypatch.setattr("fsms.serving.time.monotonic", lambda: now[0])
    monkeypatch.setattr(ThreadWorker, "notify", lambda _worker: said.append(now[0]), raising=False)
    worker = FairWorker.__new__(FairWorker)

    for now[0] in (100.0, 100.2, 100.9, 101.0, 101.5, 102.0):
        worker.notify()

    assert said == [100.0, 101.0, 102.0]


def test_a_caller_who_has_spoken_is_answered_at_once_and_another_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadWorker, "handle", lambda _worker, caller: caller.data_ready)
    worker = FairWorker.__new__(FairWorker)
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def caller() -> Any:
            return SimpleNamespace(sock=ours, initialized=False, data_ready=False)

        assert not worker.handle(caller())
        theirs.sendall(b"GET / HTTP/1.1")
        assert worker.handle(caller())
