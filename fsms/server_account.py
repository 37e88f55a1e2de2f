"""Whom the embedded PostgreSQL runs as: this account, or, since PostgreSQL refuses to run as root, another one.

Knows how to become that account and how to give it its files; what is started is `fsms.embedded`'s business.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """Who runs the server's programs, and what turns this process into that account."""

    owner: int  # Whom the cluster's files belong to, seen from here.
    user: int | None = None
    group: int | None = None
    prefix: tuple[str, ...] = ()

    def run(self, *command: str, cwd: Path, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as this account and return what it said."""
        # PGPORT, PGDATA and their like are meant for clients and would change the server. Its language is fixed,
        # because its messages are read here.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment["LC_ALL"] = "C"
        return subprocess.run(  # noqa: S603 - no shell, and the programs are our own
            [*self.prefix, *command],
            cwd=cwd,
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            check=False,
        )


def candidates(cluster: Path) -> Iterator[Account]:
    """PostgreSQL refuses to run as root, so root looks for somebody else, and the least power comes first."""
    if os.geteuid() != 0:
        yield Account(owner=os.geteuid())
        return
    uid, gid = _owner(cluster)
    yield Account(owner=uid, user=uid, group=gid)
    # Below a directory that is closed to that account (/root, `mktemp -d`) it keeps one of root's powers. The secure
    # bit keeps it for access(2) as well, by which PostgreSQL's programs look for each other.
    become = (f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    keep = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup")
    yield Account(owner=uid, prefix=("setpriv", *become, *keep))
    # Where root has no other account to change to, it can still look like one to the server.
    yield Account(owner=0, prefix=("unshare", "--user", f"--map-user={uid}", f"--map-group={gid}"))


def _owner(cluster: Path) -> tuple[int, int]:
    """Whoever owns the data keeps it; new data goes to the account that every system has."""
    if cluster.exists() and (found := cluster.stat()).st_uid != 0:
        return found.st_uid, found.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def give(path: Path, owner: int) -> None:
    """Make a file the account's own."""
    if path.lstat().st_uid != owner:
        os.chown(path, owner, -1, follow_symlinks=False)
