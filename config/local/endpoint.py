"""The local AWS endpoints as child processes: SQS by moto, and by ministack an S3 that lasts."""

import hashlib
import http.client
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from config.local import ROOT, CannotStart
from config.local.home import Home
from config.local.processes import end

# Nobody's: boto wants to have some; real ones must never travel to a stand-in.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
LOCK_FILE = ROOT / "requirements" / "ministack.txt"


class Endpoint:
    """One local endpoint, started and answering when the constructor returns."""

    def __init__(
        self, home: Home, *, name: str, port: int, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self.log = home.logs / f"{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                list(command),
                env={**os.environ, **environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        home.register.add(name, self._process.pid)
        self._await_answer(port)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        end(self._process.pid, patience=2)
        self._process.wait()

    def _await_answer(self, port: int) -> None:
        deadline = time.monotonic() + 60
        while not _answers(port):
            if not self.is_running() or time.monotonic() > deadline:
                self.stop()
                last = self.log.read_text(errors="replace").strip().splitlines()[-3:]
                raise CannotStart(f"The local {self.name} endpoint does not start: {' / '.join(last)}")
            time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def start_sqs(home: Home) -> Endpoint:
    """SQS; also S3 for the tests, which need no object to outlive them. Forgets everything when it stops."""
    port = home.port("sqs")
    command = [sys.executable, "-m", "config.local.moto_endpoint", str(port)]
    return Endpoint(home, name="sqs", port=port, command=command, environment={})


def start_s3(home: Home, *, say: Callable[[str], None] = print) -> Endpoint:
    """S3 on disk: what was uploaded is there again after any stop, a kill included."""
    folder = home.folder("s3")
    port = home.port("s3")
    return Endpoint(
        home,
        name="s3",
        port=port,
        command=[str(install_ministack(home.path / "ministack", say=say))],
        environment={
            # With these it checks what an address was signed with.
            **CREDENTIALS,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SERVICES": "s3",
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "objects"),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "state"),
            "LOG_LEVEL": "WARNING",
        },
    )


def install_ministack(place: Path, *, say: Callable[[str], None] = print) -> Path:
    """The program, installed at first use into an environment of its own, `place`: it pins an older botocore."""
    program = place / "bin" / "ministack"
    stamp = place / "installed"
    wanted = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    if program.exists() and stamp.exists() and stamp.read_text() == wanted:
        return program
    say("Installing the local S3 endpoint (once) ...")
    venv.create(place, clear=True, with_pip=True)
    pip: list[str | Path] = [place / "bin" / "python", "-m", "pip", "install", "--quiet"]
    install = [*pip, "--require-hashes", "-r", LOCK_FILE]
    answer = subprocess.run(install, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise CannotStart(
            f"The local S3 endpoint could not be installed: {answer.stderr.strip().splitlines()[-1]} "
            "Use the disk instead (STORAGE=disk make up), or set AWS_ENDPOINT_URL_S3 to an S3 of yours."
        )
    stamp.write_text(wanted)
    return program
