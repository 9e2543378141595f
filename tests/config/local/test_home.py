"""What AETHERFLOW_HOME remembers, and who may read it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.local import ROOT, CannotStart
from config.local.home import Home, port_is_free
from config.local.processes import started


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    secret = Home(tmp_path).secret("secret_key")
    assert len(secret) > 40
    assert Home(tmp_path).secret("secret_key") == secret
    assert Home(tmp_path).secret("database_password") != secret
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_port_stays_the_same_until_somebody_else_has_it(tmp_path: Path) -> None:
    port = Home(tmp_path).port("sqs")
    assert Home(tmp_path).port("sqs") == port
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        assert not port_is_free(port)
        assert Home(tmp_path).port("sqs") != port


def test_a_damaged_file_is_named_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(CannotStart, match=r"secrets\.json is not readable as JSON"):
        Home(tmp_path).secret("secret_key")
    assert (tmp_path / "secrets.json").read_text() == "{"


def test_a_second_launcher_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    home = Home(tmp_path)
    second = Home(tmp_path).lock()
    with home.lock(), pytest.raises(CannotStart, match=rf"already running .*process {os.getpid()}"):
        second.__enter__()
    with home.lock():
        pass


def test_the_lock_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys; from config.local.home import Home\n"
        "with Home(pathlib.Path(sys.argv[1])).lock(): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    with Home(tmp_path).lock():
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_fork_that_outlives_the_launcher_does_not_hold_the_lock(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys, time; from config.local.home import Home\n"
        "with Home(pathlib.Path(sys.argv[1])).lock():\n"
        "    if os.fork(): time.sleep(30)\n"
        # The fork ends its launcher: before it runs, it still shares the lock.
        "    print(os.getpid(), flush=True); os.kill(os.getppid(), 9); time.sleep(30)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert launcher.stdout is not None
    fork = int(launcher.stdout.readline())
    assert launcher.wait(20) == -signal.SIGKILL
    with Home(tmp_path).lock():
        assert started(fork)
        os.kill(fork, signal.SIGKILL)
    launcher.stdout.close()


def test_what_is_kept_is_whole_or_not_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.read("demo.json") is None
    home.keep("demo.json", {"users": []})
    assert home.read("demo.json") == {"users": []}
    assert json.loads((tmp_path / "demo.json").read_text()) == {"users": []}
    assert not list(tmp_path.glob("*.partial"))
