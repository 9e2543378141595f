"""What somebody calls a file, and what it is called from then on: in keys, paths, headers, messages and on pages."""

import unicodedata
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from aetherflow.etl import FileRefused
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.datasets.names import clean_filename, raw_key
from tests.accounts.factories import bearer
from tests.jobs.calls import UPLOAD, post_file, problem
from tests.jobs.conftest import seller, sqs  # noqa: F401  (fixtures)

DB = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("..\\..\\boot.csv", "boot.csv"),
        ("/etc/cron.d/a.csv", "a.csv"),
        ("\\\\server\\share\\a.csv", "a.csv"),
        ("C:a.csv", "C_a.csv"),
        ("%2e%2e%2fa.csv", "_2e_2e_2fa.csv"),
        ("..\uff0fa.csv", "_a.csv"),
        ("a\r\nSet-Cookie: x=1.csv", "aSet-Cookie_ x_1.csv"),
        ('a";x=".csv', "a__x__.csv"),
        ("\x1b[31mred\x07.csv", "_31mred.csv"),
        ("march\u202evsc.exe", "marchvsc.exe"),
        ("\u2066a\u2069\u200f\u200bb\ufeff.csv", "ab.csv"),
        ("\u3164\u115f.csv", "csv"),
        ("a\U000e0041.csv", "a.csv"),
        ("\ud800a.csv", "a.csv"),
        ("<img src=x onerror=alert(1)>.csv", "_img src_x onerror_alert(1)_.csv"),
        ("=cmd|' /C calc'!A0.csv", "C calc__A0.csv"),
        ("Cafe\u0301.csv", "Caf\u00e9.csv"),
        ("e\u200d\u0301.csv", "\u00e9.csv"),
        (".htaccess", "htaccess"),
        ("...a.csv", "a.csv"),
        ("a.csv. . ", "a.csv"),
        ("CON", "_CON"),
        ("nul.csv", "_nul.csv"),
        ("Com1.tar.gz", "_Com1.tar.gz"),
        ("LPT\u00b2.csv", "_LPT\u00b2.csv"),
        ("console.csv", "console.csv"),
        ("???", "___"),
        (". .", "upload"),
        ("\u202e", "upload"),
    ],
)
def test_a_name_is_safe_wherever_it_is_used(given: str, kept: str) -> None:
    assert clean_filename(given) == kept


@given(name=st.text(max_size=400))
def test_any_name_becomes_one_part_of_a_key(name: str) -> None:
    kept = clean_filename(name)
    assert 0 < len(kept.encode()) <= 200
    assert kept == unicodedata.normalize("NFC", kept) == clean_filename(kept)
    assert not any(unicodedata.category(sign)[0] == "C" or sign in '/\\"<>|:*?%&' for sign in kept)
    assert kept not in {".", ".."}
    assert kept[0] not in " ."
    assert kept[-1] not in " ."
    key = raw_key(department="sales", dataset_id=uuid.UUID(int=0), filename=kept)
    assert key.split("/") == ["raw", "sales", str(uuid.UUID(int=0)), kept]


@DB
@pytest.mark.parametrize(
    "name", ["march.exe", "march.csv.BAT", "report.html", "drawing.svg", "a\u202evsc.scr", "a.js", "a.mht"]
)
def test_the_name_of_a_program_or_a_page_is_refused_at_once(sqs: Any, seller: User, name: str) -> None:  # noqa: F811
    told = problem(post_file(APIClient(), seller, filename=name), 422, "file-type")
    assert "export the data as csv" in told["hint"].lower()
    assert not Dataset.objects.exists()


@DB
@pytest.mark.parametrize("name", ["march", "march.2026", "march.dat", "march.csv.gz", "march.XLSX", "march.pdf"])
def test_any_other_name_is_for_the_worker_to_judge(sqs: Any, seller: User, name: str) -> None:  # noqa: F811
    assert post_file(APIClient(), seller, filename=name).status_code == 202


@DB
def test_two_names_that_become_one_are_two_files(sqs: Any, seller: User) -> None:  # noqa: F811
    client = APIClient()
    for number, name in enumerate(("a*.csv", "a?.csv")):
        content = b"transaction_id\n%d\n" % number
        assert post_file(client, seller, content, filename=name).status_code == 202
    first, second = Dataset.objects.order_by("uploaded_at")
    assert first.original_filename == second.original_filename == "a_.csv"
    for dataset, content in ((first, b"transaction_id\n0\n"), (second, b"transaction_id\n1\n")):
        raw = client.get(f"/api/v1/datasets/{dataset.pk}/raw", **bearer(seller))
        assert b"".join(raw.streaming_content) == content


@DB
@pytest.mark.parametrize(
    "filename",
    [
        b"../../../etc/passwd.csv",
        b'a\\"; filename=b.html; x=\\".csv',
        "märz\u202e \u200b報.csv".encode(),
        b"..%2f..%2fa.csv",
    ],
)
def test_a_header_written_by_hand_is_a_name_like_any_other(
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
    filename: bytes,
) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="'
        + filename
        + b'"\r\nContent-Type: text/csv\r\n\r\ntransaction_id\n1\n\r\n--b--\r\n'
    )
    client = APIClient()
    answer = client.generic("POST", UPLOAD, body, "multipart/form-data; boundary=b", headers=bearer(seller)["headers"])
    assert answer.status_code == 202, answer.content
    dataset = Dataset.objects.get()
    department, owner, name = dataset.key.removeprefix("raw/").split("/")
    assert (department, owner, name) == ("sales", str(dataset.pk), dataset.original_filename)
    assert name == clean_filename(name)
    disposition = client.get(f"/api/v1/datasets/{dataset.pk}/raw", **bearer(seller))["Content-Disposition"]
    assert disposition.startswith("attachment; filename")
    assert disposition.isascii()
    assert disposition.count("filename=") + disposition.count("filename*=") == 1
    assert not set(disposition) & set("\r\n\x00")


@DB
def test_what_a_dataset_is_called_has_nothing_unseen(sqs: Any, seller: User) -> None:  # noqa: F811
    answer = post_file(
        APIClient(),
        seller,
        name=" March\u202e\u2066\r\nlevel=error \x1b[31m\u200b ",
        description="first\n\tsecond\u202e\x07 👩\u200d👧",
    )
    dataset = Dataset.objects.get(pk=answer.json()["dataset"]["id"])
    assert dataset.name == "March level=error [31m"
    assert dataset.description == "first\n\tsecond 👩\u200d👧"


def test_what_a_file_says_is_told_without_what_cannot_be_seen() -> None:
    refusal = FileRefused("The label a\u202eb\x1b[2J\nlevel=error.", hint="Rename\r\nit\u200b.")
    assert refusal.message == str(refusal) == "The label a\ufffdb\ufffd[2J level=error."
    assert refusal.hint == "Rename it\ufffd."
