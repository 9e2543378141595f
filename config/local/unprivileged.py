"""How root runs a program that refuses to be run by root, as PostgreSQL does, on an unprepared machine."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NOBODY = 65534
# The program sees itself as `nobody` while the kernel still treats it as the owner of root's files: it works
# below /root (mode 0700) without opening a folder to others. Impossible where user namespaces are forbidden.
NAMESPACE = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whom a program runs as. `owner` is the uid its files must belong to."""

    owner: int
    prefix: tuple[str, ...] = ()
    switch: int | None = None

    def start(self, command: Sequence[str | Path], *, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Start a server in a session of its own: Ctrl-C at the terminal is ours to pass on, in our order."""
        return subprocess.Popen(
            [*self.prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            user=self.switch,
            group=self.switch,
            extra_groups=None if self.switch is None else (),
        )

    def run(self, command: Sequence[str | Path]) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end. A returncode of 126 stands for "not allowed to run it" as in a shell."""
        full = [*self.prefix, *map(str, command)]
        try:
            return subprocess.run(
                full,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                cwd="/",
                check=False,
                user=self.switch,
                group=self.switch,
                extra_groups=None if self.switch is None else (),
            )
        except OSError as error:
            return subprocess.CompletedProcess(full, 126, stdout="", stderr=str(error))

    def reaches(self, folder: Path) -> bool:
        return self.run(["test", "-x", folder]).returncode == 0

    def own(self, folder: Path) -> None:
        """Make the account the owner of a folder and all in it, where it is not yet."""
        if os.geteuid() == 0 and folder.stat().st_uid != self.owner:
            for path in (*folder.rglob("*"), folder):
                os.chown(path, self.owner, self.owner, follow_symlinks=False)


def accounts() -> list[Account]:
    """The accounts a program can be run as here, the plainest first. A plain user has one: their own."""
    if os.geteuid() != 0:
        return [Account(owner=os.geteuid())]
    found = [Account(owner=NOBODY, switch=NOBODY)]
    inside = Account(owner=0, prefix=NAMESPACE)
    if shutil.which("unshare") and inside.run(["true"]).returncode == 0:
        found.append(inside)
    return found
