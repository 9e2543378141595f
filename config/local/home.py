"""AETHERFLOW_HOME: the one folder in which everything of a local platform lives, and what it remembers."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.local import CannotStart
from config.local.processes import Register


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Without it, connections of the previous run that still linger make a free port look busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Home:
    """A folder with `secrets.json`, `ports.json` and one sub-folder per part; made when it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            if not self.path.is_dir():
                self.path.mkdir(parents=True)
                # PostgreSQL started by root runs as another account and must get through; secrets are 0600.
                self.path.chmod(0o711)
            self.logs = self.folder("logs")
        except OSError as error:
            raise CannotStart(
                f"The state folder {self.path} cannot be used ({error.strerror}). "
                "Make it writable, or choose another: AETHERFLOW_HOME=/path make up"
            ) from None
        self.register = Register(self.path / "processes.json")

    def folder(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        return folder

    def secret(self, name: str) -> str:
        """The secret of that name; made up at first use and kept, readable by its owner only."""
        kept = self._read("secrets.json")
        if name not in kept:
            kept[name] = secrets.token_urlsafe(36)
            self.keep("secrets.json", kept)
        return str(kept[name])

    def port(self, name: str) -> int:
        """A free port, the same as last time where nobody has taken it meanwhile."""
        kept = self._read("ports.json")
        port = int(kept.get(name, 0))
        if not port or not port_is_free(port):
            port = free_port()
            self.keep("ports.json", {**kept, name: port})
        return port

    def keep(self, filename: str, content: dict[str, Any]) -> None:
        """Write a JSON file that only its owner may read, whole or not at all."""
        partial = self.path / f"{filename}.partial"
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=1)
        partial.replace(self.path / filename)

    def read(self, filename: str) -> dict[str, Any] | None:
        """What was kept under that name; None when nothing was."""
        return self._read(filename) or None

    def _read(self, filename: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self.path / filename).read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise CannotStart(
                f"{self.path / filename} is not readable as JSON. Put it right, or delete it to have it made anew."
            ) from None
        return content

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one launcher; the lock ends with the process, however it ends."""
        with (self.path / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise CannotStart(
                    f"AetherFlow is already running on {self.path} (process {holder}). Use that one, "
                    f"stop it with `kill {holder}`, or start a second one beside it: "
                    "AETHERFLOW_HOME=/path PORT=8001 make up"
                ) from None
            # A fork shares the lock: honcho's would hold it on when the launcher itself is killed.
            os.register_at_fork(after_in_child=file.close)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
