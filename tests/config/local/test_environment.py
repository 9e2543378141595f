"""The settings a local platform starts with, and their documentation."""

import os
import re
from pathlib import Path

import pytest

from config.local import ROOT, CannotStart, environment
from config.local.home import Home

READ = re.compile(r'(?:env(?:\.\w+)?|required|one_of|positive|seconds_list|share)\(\s*"([A-Z][A-Z0-9_]+)"')


def test_every_setting_is_documented() -> None:
    read = {
        name
        for path in [*(ROOT / "config").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]
        for name in READ.findall(path.read_text())
    }
    assert len(read) > 20
    documented = set(re.findall(r"^#?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read - documented == set()


def test_what_the_person_sets_wins_over_what_we_would_choose(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert environment.local(home, outer={})["STORAGE"] == "disk"
    assert environment.local(home, outer={"STORAGE": "s3"})["STORAGE"] == "s3"
    assert environment.local(home, outer={"STORAGE": ""})["STORAGE"] == "disk"


def test_a_real_account_and_a_proxy_stay_out_of_it(tmp_path: Path) -> None:
    outer = {"AWS_PROFILE": "company", "AWS_SESSION_TOKEN": "real", "no_proxy": "intranet"}
    local = environment.local(Home(tmp_path), outer=outer)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(local)
    assert local["no_proxy"] == "127.0.0.1,localhost,intranet"
    assert local["NO_PROXY"] == "127.0.0.1,localhost"


@pytest.mark.parametrize("text", ["80x", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CannotStart, match=r"no port number.*PORT=8001 make up"):
        environment.port_of({"PORT": text})


def test_the_file_is_read_and_the_shell_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("# ours\nPORT=9001\nAETHERFLOW_HOME=elsewhere\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("AETHERFLOW_HOME", raising=False)
    assert environment.port_of(environment.outer()) == 9001
    assert environment.home_of(environment.outer()) == tmp_path / "elsewhere"
    monkeypatch.setenv("PORT", "9002")
    assert environment.port_of(environment.outer()) == 9002
    assert os.environ["PORT"] == "9002"
