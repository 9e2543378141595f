"""Settings that cannot work together stop the start and name the variables."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.files.storage import storages

from apps.datasets.multipart import Multipart
from config.env import store_origin
from config.local import ROOT
from tests.support.session import DEFAULTS


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"ETL_SOFT_TIME_LIMIT_SECONDS": "3300"},
            "ETL_SOFT_TIME_LIMIT_SECONDS=3300 must be below ETL_TIME_LIMIT_SECONDS",
        ),
        ({"ML_TIME_LIMIT_SECONDS": "1500"}, "ML_SOFT_TIME_LIMIT_SECONDS=1500 must be below ML_TIME_LIMIT_SECONDS=1500"),
        ({"ML_TIME_LIMIT_SECONDS": str(11 * 3600)}, "at most 11 hours less two QUEUE_VISIBILITY_SECONDS"),
    ],
    ids=["etl", "ml", "longer than SQS can hide a message"],
)
def test_time_limits_out_of_order_stop_the_start(variables: dict[str, str], says: str) -> None:
    done = load(variables)
    assert done.returncode != 0
    assert says in done.stderr


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "WORKER_MEMORY_LIMIT_MB"])
def test_a_number_below_nothing_stops_the_start(name: str) -> None:
    done = load({name: "-1"})
    assert done.returncode != 0
    assert f"{name}='-1' cannot be read. It is a whole number, 0 or above" in done.stderr


@pytest.mark.parametrize("text", ["10", "0/hour", "10/week", "ten/hour", "10/", "-1/day"])
def test_a_rate_that_cannot_be_read_stops_the_start(text: str) -> None:
    done = load({"RATE_LOGIN_PLACE": text})
    assert done.returncode != 0
    assert f"RATE_LOGIN_PLACE={text!r} cannot be read. It is a number above 0 a minute, hour or day" in done.stderr
    assert "e.g. RATE_LOGIN_PLACE=10/hour" in done.stderr


STRONG = "PZ0xq7Vd3mR8tKc1yWfE5uGhJ9aLsN2bXo6iTvQ4"
REACHED = {"SECRET_KEY": STRONG, "ALLOWED_HOSTS": "data.example.org"}


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            REACHED | {"DEBUG": "true"},
            "ALLOWED_HOSTS=data.example.org says that others reach the site. Set DEBUG=false",
        ),
        ({"SECRET_KEY": STRONG, "HTTPS": "true", "DEBUG": "true"}, "Set DEBUG=false"),
        ({"ALLOWED_HOSTS": "127.0.0.1,*"}, "ALLOWED_HOSTS holds *"),
        (REACHED | {"SECRET_KEY": "short"}, "SECRET_KEY is shorter than 32 characters"),
        (REACHED | {"SECRET_KEY": "ab" * 30}, "SECRET_KEY is made of too few different characters"),
        (REACHED | {"SECRET_KEY": f"django-insecure-{STRONG}"}, "SECRET_KEY is a key that others know"),
        (REACHED | {"SECRET_KEY": DEFAULTS["SECRET_KEY"]}, "SECRET_KEY is a key that others know"),
        (REACHED | {"JWT_SIGNING_KEY": "short"}, "JWT_SIGNING_KEY is shorter than 32 characters"),
    ],
)
def test_what_others_must_not_reach_stops_the_start(variables: dict[str, str], says: str) -> None:
    done = load(variables)
    assert done.returncode != 0
    assert says in done.stderr
    assert not any(key in done.stderr for key in (STRONG, DEFAULTS["SECRET_KEY"]))


@pytest.mark.parametrize(
    "variables",
    [{"DEBUG": "true", "SECRET_KEY": "short"}, REACHED, REACHED | {"HTTPS": "true"}],
    ids=["one machine alone", "reached by name", "with TLS"],
)
def test_what_is_not_exposed_starts(variables: dict[str, str]) -> None:
    done = load(variables)
    assert done.returncode == 0, done.stderr


def test_passwords_may_stand_apart_from_the_addresses() -> None:
    addresses = {
        "DATABASE_URL": "postgres://platform@db.example.org/aetherflow",
        "OWNER_DATABASE_URL": "postgres://owner:in-the-address@db.example.org/aetherflow",
    }
    tell = (
        "from config.settings import DATABASES as known;"
        "print(*(known[name]['PASSWORD'] or '-' for name in ('default', 'loader', 'owner')))"
    )
    for apart, says in (
        ({}, "- - in-the-address"),
        ({"DATABASE_PASSWORD": "p/@:%"}, "p/@:% p/@:% in-the-address"),
        ({"DATABASE_PASSWORD": "p", "OWNER_DATABASE_PASSWORD": "o#?"}, "p p o#?"),
    ):
        done = load(addresses | apart, tell=tell)
        assert done.stdout.strip() == says, done.stderr


def load(variables: dict[str, str], *, tell: str = "import config.settings") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", tell]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("bucket", ["aetherflow-raw", "raw.example.org"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4566", "https://files.example.org/"])
def test_the_page_may_speak_to_where_signed_addresses_lead(
    settings: Any, bucket: str, region: str, endpoint: str | None
) -> None:
    settings.RAW_BUCKET, settings.AWS_REGION = bucket, region
    settings.AWS_ENDPOINT_URL_S3 = settings.DIRECT_UPLOAD_ENDPOINT = endpoint
    storages._storages.pop("raw", None)
    try:
        address = Multipart("raw/sales/1/a.csv", store_id="u").address(1, size_bytes=1, sha256="00" * 32)
    finally:
        storages._storages.pop("raw", None)
    assert address.startswith(store_origin(endpoint, bucket=bucket, region=region) + "/")


def test_an_endpoint_that_is_no_address_stops_the_start() -> None:
    done = load({"DIRECT_UPLOAD_ENDPOINT": "files.example.org"})
    assert done.returncode != 0
    assert "'files.example.org' is no address of an S3 endpoint" in done.stderr
