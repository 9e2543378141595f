"""A large file that both processes of the ETL worker share, and either of them killed in its midst."""

import json

import pytest

from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import assert_nothing_is_left, assert_settled
from tests.faults.uploads import Upload

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-shared-file")]

# As if this machine had processors enough for both of them.
SETTINGS = {
    "SPLIT_FROM_BYTES": "400000",
    "SPLIT_BYTES": "100000",
    "ETL_PROCESSORS": "1",
    "QUEUE_MAX_RECEIVES": "5",
}
# Together more than a block, which would be kept as it is read.
ROWS = 12_000
# While who has called reads its first split, whoever is free comes.
MEANWHILE = Fault(point="etl.reading", do="sleep:8")
ENDS = {
    "of nobody": (),
    "of one who helps": (Fault(point="etl.reading", do="kill-child"),),
    "of who has called": (Fault(point="etl.reading", do="sleep:12"), Fault(point="etl.reading", do="kill-child")),
    "of both": (Fault(point="etl.reading", do="kill-worker"),),
    "of who has called, with all splits loaded": (Fault(point="etl.committing", do="kill-child"),),
}


@pytest.mark.parametrize("faults", ENDS.values(), ids=ENDS.keys())
def test_a_shared_file_is_loaded_once_after_the_end(faults: tuple[Fault, ...], platform: Platform) -> None:
    upload = platform.upload("finance", MEANWHILE, *faults, rows=ROWS)
    assert_settled(platform, upload)
    assert platform.fired(upload) == 1 + len(faults)
    said = events(platform, upload)
    assert said.count("file_split") >= 1
    assert "help_called" in said
    if not faults:
        assert "helped" in said
        assert helpers(platform, upload) >= 1, "some of it was loaded by another"


def test_nothing_is_left_of_what_was_shared(platform: Platform) -> None:
    assert_nothing_is_left(platform)
    assert platform.query("SELECT * FROM jobs_stagesplit") == []
    lonely = platform.query(
        "SELECT relname FROM pg_class WHERE relname LIKE 'clean\\_%%$%%$%%' AND relkind = 'r' AND NOT relispartition"
    )
    given_up = platform.query("SELECT bucket FROM datasets_retiredpartition")
    assert {each["relname"].split("$")[1] for each in lonely} <= {str(each["bucket"]) for each in given_up}


def events(platform: Platform, upload: Upload) -> list[str]:
    return [line["event"] for line in lines(platform, upload)]


def helpers(platform: Platform, upload: Upload) -> int:
    return sum(line["splits"] for line in lines(platform, upload) if line["event"] == "helped")


def lines(platform: Platform, upload: Upload) -> list[dict[str, object]]:
    said = (line for line in platform.logs("worker-etl").splitlines() if upload.dataset_id in line)
    return [json.loads(line) for line in said if line.startswith("{")]
