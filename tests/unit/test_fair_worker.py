"""How many callers a process takes."""

from collections import deque
from types import SimpleNamespace

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
