"""Raw files in either store: names of any script, bounded waits, and downloads that begin at once."""

import errno
import threading
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from aetherflow.errors import UnavailableError
from aetherflow.etl import Split
from aetherflow.registry import departments
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.datasets.names import clean_filename, raw_key
from apps.datasets.storage import local_copy, local_split, raw_storage
from apps.jobs.models import Job
from tests.accounts.factories import bearer
from tests.datasets.factories import DatasetFactory
from tests.jobs.calls import post_file, problem
from tests.jobs.conftest import seller, sqs, upload  # noqa: F401  (fixtures)
from tests.jobs.files import row, sales
from tests.jobs.steps import work_failing

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
MIB = 1024 * 1024
LONG_NAMES = [
    "報" * 100 + ".csv",
    "a" * 300 + ".csv",
    "ab" + "報" * 100,
    "e\N{COMBINING ACUTE ACCENT}\N{COMBINING DOT BELOW}" * 60 + ".csv",
    "बिक्री " * 40 + ".csv",
    "x" * 300 + "." + "報" * 10,
    "\N{COMBINING DOT BELOW}" * 300,
]


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def disk(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {
        "raw": {"BACKEND": "apps.datasets.storage.DiskRawStorage", "OPTIONS": {"location": str(tmp_path)}}
    }
    return tmp_path


@pytest.mark.parametrize("name", LONG_NAMES, ids=range(len(LONG_NAMES)))
def test_a_long_name_is_cut_between_characters_and_fits_everywhere(name: str, disk: Path) -> None:
    kept = clean_filename(name)
    assert len(kept.encode()) <= 200
    stem, given = kept.removesuffix(".csv"), unicodedata.normalize("NFC", name)
    if given.startswith(stem):
        assert unicodedata.category(given[len(stem)])[0] != "M", "a letter without its marks"
    for department in departments():
        key = raw_key(department=department, dataset_id=uuid.uuid4(), filename=kept)
        assert len(key.encode()) <= 1024
        assert len(key) <= (Dataset._meta.get_field("key").max_length or 0)
        assert raw_storage().save(key, ContentFile(b"x")) == key


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Verkäufe März.csv", "Verkäufe März.csv"),
        ("売上 2026.csv", "売上 2026.csv"),
        ("बिक्री.csv", "बिक्री.csv"),
        ("C:\\data\\week 12.csv", "week 12.csv"),
        ("../../etc/passwd", "passwd"),
        ("a\x00\u202eb*.csv", "ab_.csv"),
        ("..", "upload"),
        ("", "upload"),
    ],
)
def test_a_name_stays_recognisable(given: str, kept: str) -> None:
    assert clean_filename(given) == kept


def test_a_long_name_is_uploaded_and_comes_back(client: APIClient, sqs: Any, seller: User, disk: Path) -> None:  # noqa: F811
    response = post_file(client, seller, filename="報" * 100 + ".csv")
    assert response.status_code == 202, response.content
    dataset = response.json()["dataset"]
    assert dataset["name"] == dataset["filename"] == "報" * 65 + ".csv"
    raw = client.get(f"/api/v1/datasets/{dataset['id']}/raw", **bearer(seller))
    assert b"".join(raw.streaming_content) == sales(row(1))


def test_a_name_the_store_cannot_hold_is_the_names_fault(
    client: APIClient,
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
    settings: Any,
    tmp_path: Path,
) -> None:
    # So deep that a short name below it is still a path Linux takes (4095 bytes), and a long one is not.
    folder = tmp_path
    while len(str(folder)) < 3_800:
        folder /= "d" * min(200, 3_900 - len(str(folder)))
    folder.mkdir(parents=True)
    settings.STORAGES = settings.STORAGES | {
        "raw": {"BACKEND": "apps.datasets.storage.DiskRawStorage", "OPTIONS": {"location": str(folder)}}
    }
    assert "200 bytes" in problem(post_file(client, seller, filename="n" * 200), 422, "name-too-long")["detail"]
    assert post_file(client, seller, filename="n.csv").status_code == 202


def test_a_download_gives_the_file_back_when_the_caller_goes(
    client: APIClient,
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = post_file(client, seller).json()["dataset"]
    opened = []
    stream = type(raw_storage()).stream
    monkeypatch.setattr(
        type(raw_storage()), "stream", lambda store, name: opened.append(stream(store, name)) or opened[-1]
    )
    response = client.get(f"/api/v1/datasets/{dataset['id']}/raw", **bearer(seller))
    assert response["Content-Length"] == str(dataset["size_bytes"])
    response.close()
    (only,) = opened
    assert only.body.closed


class Endpoint(ThreadingHTTPServer):
    """An S3 endpoint of one object of 3 MiB, whose last two come when the caller has seen the first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.asked = 0
        self.first_seen = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        size = 3 * MIB if self.server.status == 200 else 0
        self.send_header("Content-Length", str(size))
        self.end_headers()
        if size:
            self.wfile.write(b"1" * MIB)
            if self.server.first_seen.wait(10):
                self.wfile.write(b"2" * 2 * MIB)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def endpoint(settings: Any) -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    settings.AWS_ENDPOINT_URL_S3 = f"http://127.0.0.1:{server.server_port}"
    storages._storages.pop("raw", None)
    yield server
    storages._storages.pop("raw", None)
    server.first_seen.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_from_s3_begins_before_the_object_is_there_whole(
    client: APIClient,
    seller: User,  # noqa: F811
    endpoint: Endpoint,
) -> None:
    dataset = DatasetFactory(uploaded_by=seller)
    response = client.get(f"/api/v1/datasets/{dataset.pk}/raw", **bearer(seller))
    assert (response.status_code, response["Content-Length"]) == (200, str(3 * MIB))
    pieces = iter(response.streaming_content)
    assert next(pieces) == b"1" * MIB
    endpoint.first_seen.set()
    assert b"".join(pieces) == b"2" * 2 * MIB
    assert endpoint.asked == 1


@pytest.mark.parametrize("status", [500, 503, 403])
def test_an_s3_that_fails_is_a_503_after_two_attempts_at_most(
    client: APIClient,
    seller: User,  # noqa: F811
    endpoint: Endpoint,
    status: int,
) -> None:
    endpoint.status = status
    dataset = DatasetFactory(uploaded_by=seller)
    response = client.get(f"/api/v1/datasets/{dataset.pk}/raw", **bearer(seller))
    problem(response, 503, "storage-unavailable")
    assert endpoint.asked == (1 if status == 403 else 2)


def test_a_missing_bucket_is_the_stores_fault_and_a_missing_object_the_files(
    client: APIClient,
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
    settings: Any,
) -> None:
    path = f"/api/v1/datasets/{DatasetFactory(uploaded_by=seller).pk}/raw"
    problem(client.get(path, **bearer(seller)), 404, "raw-file-missing")
    settings.RAW_BUCKET = "a-bucket-that-is-not-there"
    storages._storages.pop("raw", None)
    problem(client.get(path, **bearer(seller)), 503, "storage-unavailable")


def test_s3_is_waited_for_seconds_not_minutes(sqs: Any) -> None:  # noqa: F811
    config = raw_storage().connection.meta.client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 20)
    assert config.signature_version == "s3v4"
    assert config.s3["addressing_style"] == "auto"


@pytest.fixture(params=[True, False], ids=["same file system", "another file system"])
def near_or_far(disk: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raw files on disk, and what is fetched of them beside them or not."""

    def elsewhere(path: Path, _target: str) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(path))

    if not request.param:
        monkeypatch.setattr(Path, "hardlink_to", elsewhere)


@pytest.mark.usefixtures("near_or_far")
def test_a_local_copy_is_the_file_and_is_gone_afterwards() -> None:
    content = bytes(range(256)) * 10_000
    raw_storage().save("raw/sales/x/a.csv", ContentFile(content))
    with local_copy("raw/sales/x/a.csv") as path:
        raw_storage().delete("raw/sales/x/a.csv")
        assert path.read_bytes() == content, "an undo meanwhile has taken it away"
    assert not path.exists()
    with pytest.raises(UnavailableError), local_copy("raw/sales/x/a.csv"):
        pass


@pytest.mark.usefixtures("near_or_far")
def test_of_a_split_its_bytes_are_there() -> None:
    content = bytes(range(256)) * 10
    raw_storage().save("raw/sales/x/a.csv", ContentFile(content))
    split = Split(start=300, end=900, first_line=2, after_line=5)
    with local_split("raw/sales/x/a.csv", start=split.start, end=split.end) as held:
        raw_storage().delete("raw/sales/x/a.csv")
        assert held.bytes_of(split) == content[300:900]
        start, end = held.span_of(split)
        assert held.path.read_bytes()[start:end] == content[300:900]
    assert not held.path.exists()
    with pytest.raises(UnavailableError), local_split("raw/sales/x/a.csv", start=300, end=900):
        pass


def test_why_the_store_failed_stays_with_the_operators(
    client: APIClient,
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
    upload: Callable[..., Job],  # noqa: F811
) -> None:
    job = upload(sales(row(1)))
    raw_storage().delete(job.dataset.key)
    with capture_logs() as logs:
        work_failing(job, sqs)
    (stage,) = client.get(f"/api/v1/jobs/{job.pk}", **bearer(seller)).json()["stages"]
    assert stage["error"]["code"] == "storage-unavailable"
    assert stage["error"]["details"] == {"key": job.dataset.key}
    (logged,) = [entry for entry in logs if entry["event"] == "raw_file_not_read"]
    assert (logged["key"], bool(logged["error"])) == (job.dataset.key, True)
