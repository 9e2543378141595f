"""A log line is one line whatever is in it, and no address carries what must not stand in a log."""

import json
import os
import re
import subprocess
import sys

import pytest

from config.local import ROOT

EVIL = 'x"}\n{"event": "forged", "level": "info"}\r\n\x1b[31mred\x1b[0m\u2028\u2029\x00\udcff'
SPEAK = """
import django, logging, structlog, sys
django.setup()
evil = ascii_evil.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
structlog.get_logger("ours").warning(evil, key=evil, **{"a\\nb": evil})
logging.getLogger("theirs").warning("said: %s", evil)
try:
    raise ValueError(evil)
except ValueError:
    logging.getLogger("theirs").exception("broke")
"""


def test_what_a_caller_sends_forges_no_line() -> None:
    written = json.dumps(EVIL)[1:-1].replace('\\"', '"')
    done = subprocess.run(
        [sys.executable, "-c", f"ascii_evil = {written!r}{SPEAK}"],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]
    assert [line["level"] for line in lines] == ["warning", "warning", "error"]
    assert not [line for line in lines if line["event"] == "forged"]
    assert lines[0]["event"] == lines[0]["key"] == EVIL
    assert lines[1]["event"] == f"said: {EVIL}"
    # No raw control character either: a terminal would obey it.
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)


@pytest.mark.parametrize("place", ["query", "path", "cookie"])
def test_no_address_of_the_api_carries_a_credential(place: str) -> None:
    described = json.loads((ROOT / "docs/openapi.json").read_text())
    named = {
        parameter["name"].lower()
        for path in described["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == place
    }
    assert named or place == "cookie"
    secret = re.compile(r"token|password|secret|credential|api.?key|auth|invitation|refresh|session$|^code$|signature")
    assert not {name for name in named if secret.search(name)}
    schemes = described["components"]["securitySchemes"].values()
    assert {(scheme["type"], scheme.get("scheme")) for scheme in schemes} == {("http", "bearer")}
