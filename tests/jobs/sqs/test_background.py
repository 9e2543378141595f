"""Threads beside a main thread that forks. The forks happen in a process of their own, not in that of the tests."""

import subprocess
import sys
import threading
import time
from textwrap import dedent

import pytest

from apps.jobs.sqs.background import Work, begin
from tests.jobs.sqs.line import ROOT


def alone(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_child_is_born_in_the_middle_of_a_round() -> None:
    """The thread is in a round for half of the time; a round has begun and not ended nowhere but in its own."""
    script = """
        import os, time
        from apps.jobs.sqs.background import Work, begin

        begun = ended = 0

        def do():
            global begun, ended
            begun += 1
            time.sleep(0.005)
            ended += 1

        begin(Work(do=do, every=0.005), name="busy")
        torn = 0
        for _ in range(200):
            time.sleep(0.001)
            if not (child := os.fork()):
                os._exit(begun != ended)
            torn += os.waitpid(child, 0)[1] != 0
        print(torn, begun > 50)
    """
    assert alone(script) == "0 True"


def test_children_of_a_parent_that_connects_all_the_time_can_connect() -> None:
    """libpq's GSSAPI part and the resolver hold locks while they connect: of such forks one in fifty hung."""
    script = """
        import os, signal, psycopg2
        from apps.jobs.sqs.background import Work, begin

        def connect():
            try:
                psycopg2.connect("postgres://nobody@localhost:1/none")
            except psycopg2.OperationalError:
                pass

        begin(Work(do=connect, every=0), name="connecting")
        hung = 0
        for _ in range(300):
            if not (child := os.fork()):
                signal.alarm(10)
                connect()
                os._exit(0)
            hung += os.waitpid(child, 0)[1] != 0
        print(hung)
    """
    assert alone(script) == "0"


def test_a_round_that_hangs_keeps_a_fork_waiting_but_no_other_thread() -> None:
    script = """
        import os, threading, time
        from apps.jobs.sqs.background import Work, begin

        beats = 0

        def beat():
            global beats
            beats += 1

        begin(Work(do=beat, every=0.01), name="beating")
        hangs = threading.Event()
        def hang():
            hangs.set()
            time.sleep(1)
        begin(Work(do=hang, every=60), name="hanging")
        hangs.wait()
        before, since = beats, time.monotonic()
        if not (child := os.fork()):
            os._exit(0)
        print(time.monotonic() - since > 0.8, beats - before > 20, os.waitpid(child, 0)[1])
    """
    assert alone(script) == "True True 0"


def test_a_round_that_fails_is_told_of_and_followed_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    again = threading.Event()
    rounds = 0

    def do() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise RuntimeError("Set changed size during iteration")
        again.set()

    begin(Work(do=do, every=0.01), name="failing once")
    assert again.wait(10)
    time.sleep(0.05)
    assert [record.message for record in caplog.records] == ["failing once failed, its next round tries again"]
