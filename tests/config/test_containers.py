"""What of the containers can be known without an engine; tests/compose starts them."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from apps.jobs.broker import sqs_settings
from config.containers.environment import FILES, write
from config.programs import commands

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].endswith("aetherflow:local}")}


def secret_files(service: Any) -> set[str]:
    return {Path(name).name for name in service.get("env_file", [])}


def test_secrets_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert write(folder) is True
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(texts) == set(FILES)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    # What Django's checks ask of a key.
    assert re.search(r"^SECRET_KEY=\S{50,}$", texts["platform.env"], re.MULTILINE)
    assert write(folder) is False
    assert {path.name: path.read_text() for path in folder.iterdir()} == texts
    assert write(tmp_path / "other") is True
    assert (tmp_path / "other" / "platform.env").read_text() != texts["platform.env"]


def test_secrets_of_which_one_is_lost_are_not_made_anew(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "postgres.env").unlink()
    with pytest.raises(SystemExit, match=r"has lost postgres\.env, which belongs to the others. Put it back"):
        write(tmp_path)
    assert not (tmp_path / "postgres.env").exists()


def test_git_and_the_image_leave_the_secrets_out() -> None:
    assert ".compose/" in (ROOT / ".gitignore").read_text().splitlines()
    named = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith(("#", "**"))]
    assert named[0] == "*"
    assert all(line.startswith("!") and list(ROOT.glob(line[1:])) for line in named[1:])


def test_the_owners_password_goes_to_migrate_alone() -> None:
    assert {name for name, service in SERVICES.items() if "owner.env" in secret_files(service)} == {"migrate"}
    assert "OWNER" not in FILES["platform.env"]


def test_every_program_is_a_service_and_every_service_of_ours_is_shut_in() -> None:
    assert set(OURS) == {*commands(port=1), "migrate", "demo"}
    for name, service in OURS.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert ("outside" in service["networks"]) == (name == "web"), name
    for name, service in SERVICES.items():
        assert bool(service.get("ports")) == (name == "web"), name
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])
    # A browser cannot reach the store, and must not be sent there.
    assert "\nDIRECT_UPLOAD=false\n" in FILES["platform.env"]


def test_a_stop_waits_longer_than_a_worker_takes() -> None:
    for name in ("worker-etl", "worker-ml", "relay"):
        assert int(SERVICES[name]["stop_grace_period"].rstrip("s")) >= settings.WORKER_STOP_SECONDS + 10


def test_the_queues_that_elasticmq_begins_with_are_those_of_the_settings() -> None:
    text = (ROOT / "config/containers/elasticmq.conf").read_text()
    sqs = sqs_settings()
    for queue in sqs.queues.all:
        (line,) = re.findall(rf"^  {queue.name} \{{.*", text, re.MULTILINE)
        assert f"defaultVisibilityTimeout = {sqs.visibility_seconds} seconds" in line
        assert f"name = {queue.dead_letter_name}, maxReceiveCount = {sqs.max_receives} " in line
        assert re.search(rf"^  {queue.dead_letter_name} \{{", text, re.MULTILINE)


def test_images_are_pinned() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    images += [service["image"] for name, service in SERVICES.items() if name not in OURS]
    assert len(images) > 5
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-[\w-]+)?$", image), image
    assert len({image for image in images if image.startswith("python:")}) == 1
    # It would be pulled at each build, from a registry that may not be there.
    assert "syntax=" not in dockerfile


def test_both_generations_of_compose_can_read_the_files() -> None:
    """1.29 knows no `name`, `include` or `develop`."""
    for path in ROOT.glob("docker-compose*.yml"):
        found = yaml.safe_load(path.read_text())
        keys = {key for key in found if not key.startswith("x-")}
        assert keys <= {"services", "networks", "volumes"}, path.name
        assert not any("develop" in service for service in found["services"].values())
