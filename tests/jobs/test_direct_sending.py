"""Parts on their way to the store: what an address is good for, and a command that is killed among them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests
from django.core.files.storage import storages
from django.core.management import call_command

from apps.datasets import multipart
from apps.datasets.models import Dataset, DirectUpload
from apps.datasets.multipart import Multipart
from apps.datasets.storage import raw_storage
from apps.jobs.management.commands import ingest
from apps.jobs.models import Job
from config.local import endpoint
from config.local.endpoint import CREDENTIALS
from config.local.home import Home
from tests.accounts.factories import UserFactory
from tests.jobs.calls import problem
from tests.jobs.direct import MIB, SMALL, Sender, sha256
from tests.jobs.sqs.conftest import ministack
from tests.jobs.steps import rows_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


# --- From the command line ---


def test_a_killed_ingest_goes_on_where_it_was(
    large: Sender, work: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_IN_PARTS_FROM", 10 * MIB)
    path = tmp_path / "large.csv"
    path.write_bytes(large.content)
    sent: list[int] = []
    put = Multipart.put

    def killed_at_the_second(self: Multipart, number: int, *content: Any, **said: Any) -> None:
        if len(sent) == 1:
            sent.append(0)
            raise KeyboardInterrupt
        sent.append(number)
        put(self, number, *content, **said)

    monkeypatch.setattr(Multipart, "put", killed_at_the_second)
    command = ("ingest", str(path), "--department", "sales", "--by", large.user.email)
    with pytest.raises(KeyboardInterrupt):
        call_command(*command)
    call_command(*command)
    assert sent == [1, 0, 2, 3]
    call_command(*command)
    assert sent == [1, 0, 2, 3], "it is there already"
    dataset = Dataset.objects.get()
    assert (dataset.uploaded_by, dataset.sha256) == (large.user, sha256(large.content))
    work()
    assert rows_of(Job.objects.get()).count() == 999


def test_anothers_word_for_a_hash_keeps_nobody_from_uploading(sender: Sender, tmp_path: Path) -> None:
    liar = Sender(UserFactory(department="sales"), b"other,content\n")
    liar.begin()
    liar.send(1)
    assert liar.complete(sha256=sha256(SMALL)).status_code == 202
    (tmp_path / "a.csv").write_bytes(SMALL)
    call_command("ingest", str(tmp_path / "a.csv"), "--department", "sales", "--by", sender.user.email)
    assert Dataset.objects.filter(uploaded_by=sender.user).count() == 1


# --- What is signed: by an endpoint that looks ---


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 that checks signatures, lengths and sums."""
    program = ministack()
    with patch.object(endpoint, "install_ministack", return_value=program):
        server = endpoint.start_s3(Home(tmp_path_factory.mktemp("s3")))
    yield server.url
    server.stop()


@pytest.fixture
def at_strict(strict: str, settings: Any, large: Sender, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    for name, value in CREDENTIALS.items():  # in the place of moto's
        monkeypatch.setenv(name, value)
    settings.AWS_ENDPOINT_URL_S3 = settings.DIRECT_UPLOAD_ENDPOINT = strict
    storages._storages.pop("raw", None)
    raw_storage().prepare()
    yield large
    storages._storages.pop("raw", None)


def put(part: dict[str, Any], content: bytes, *, url: str = "", headers: dict[str, str] | None = None) -> int:
    headers = part["headers"] if headers is None else headers
    return requests.put(url or part["url"], data=content, headers=headers, timeout=30).status_code


def test_an_address_is_good_for_one_part_of_these_bytes_alone(at_strict: Sender) -> None:
    at_strict.begin()
    content = at_strict.part(1)
    (part,) = at_strict.sign(1).json()["parts"]
    upload = DirectUpload.objects.get()
    assert put(part, content, headers={}) == 403, "without its sum"
    assert put(part, b"x" * len(content)) == 400, "other bytes"
    assert put(part, content + b"x") == 403, "longer"
    assert put(part, content, url=part["url"].replace("partNumber=1", "partNumber=2")) == 403, "another part"
    assert put(part, content, url=part["url"].replace(str(upload.dataset_id), str(upload.pk))) == 403, "another key"
    other = Sender(at_strict.user, at_strict.content)
    other.begin()
    theirs = DirectUpload.objects.exclude(pk=upload.pk).get()
    elsewhere = part["url"].replace(upload.store_id, theirs.store_id)
    assert put(part, content, url=elsewhere) == 403, "another upload"
    assert at_strict.look().json()["arrived"] == other.look().json()["arrived"] == []
    assert put(part, content) == 200


def test_an_address_runs_out(at_strict: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "ADDRESS_SECONDS", 2)
    at_strict.begin()
    (part,) = at_strict.sign(1).json()["parts"]
    assert put(part, at_strict.part(1)) == 200
    time.sleep(3.1)
    assert put(part, at_strict.part(1)) == 403


def test_an_interrupted_upload_is_told_what_has_arrived_and_is_compared_part_by_part(at_strict: Sender) -> None:
    at_strict.begin()
    at_strict.send(1, 3)
    arrived = at_strict.look().json()["arrived"]
    assert [(each["number"], each["sha256"]) for each in arrived] == [
        (number, sha256(at_strict.part(number))) for number in (1, 3)
    ]
    at_strict.send(2)
    changed = Sender(at_strict.user, b"#" + at_strict.content[1:], upload=at_strict.upload)
    assert problem(changed.complete(), 409, "parts-mismatch")["details"] == {"parts": [1]}
    changed.send(1)
    assert changed.complete().status_code == 202
    kept = Multipart(DirectUpload.objects.get().key).whole()
    assert kept is not None
    assert kept.size_bytes == len(at_strict.content)


def test_the_platform_may_reach_the_store_elsewhere_than_its_clients(at_strict: Sender, settings: Any) -> None:
    settings.DIRECT_UPLOAD_ENDPOINT = "https://files.example.org"
    at_strict.begin()
    (part,) = at_strict.sign(1).json()["parts"]
    assert part["url"].startswith("https://files.example.org/aetherflow-raw/raw/sales/")
