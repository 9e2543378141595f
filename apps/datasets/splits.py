"""The rows of a large file, loaded split by split by whoever is free, and put together by one (ADR 14)."""

from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from aetherflow.etl import Counts, Held, Plan, Profiler, ReadOptions, SeenKeys, SourceFile, Split, open_split
from aetherflow.etl.duplicates import DUMPED
from aetherflow.registry import department as find_department
from apps.datasets import digests, partitions
from apps.datasets.loading import Loaded, Passing, Progress, RejectSpool, copy_frozen, remove_shared_rows
from apps.datasets.models import Dataset


@dataclass(frozen=True, kw_only=True)
class LoadedSplit:
    """What came of a split: the piece in which its rows stand, what is told of them (`found`, JSON-ready), their keys,
    and the records of what was rejected."""

    piece: int
    found: dict[str, Any]
    keys: bytes
    rejects: bytes


def load_split(
    *,
    dataset: Dataset,
    plan: Plan,
    split: Split,
    held: Held,
    bucket: int,
    limit: int,
    progress: Progress,
    using: str,
) -> LoadedSplit:
    """Put the clean rows of a split into a new piece of the bucket, inside a transaction of the caller's. Up to `limit`
    faults are listed. Raises FileRefused where it cannot be read by itself."""
    with RejectSpool(dataset=dataset, limit=limit) as spool, SeenKeys() as seen:
        loaded, piece = _load(
            dataset, plan, split, held=held, bucket=bucket, spool=spool, seen=seen, progress=progress, using=using
        )
        counts, records = spool.dump()
        return LoadedSplit(
            piece=piece,
            found={
                "counts": asdict(loaded.counts),
                "rejects": counts,
                "survey": loaded.survey.state(),
                "profile": loaded.profiler.state(),
            },
            keys=seen.dump().tobytes(),
            rejects=records,
        )


class Assembly:
    """What came of all splits of a file, put together in their order as if one had read it from its beginning to its
    end. `spool` and `seen` are empty at first. `add` and `finish` are called inside a transaction, each in one of its
    own or all in one.

    A split that was read as if there were nothing before it is read once more where that makes a difference: where it
    repeats a key of an earlier one, or has listed more than there is room for.
    """

    def __init__(
        self,
        *,
        dataset: Dataset,
        source: SourceFile,
        bucket: int,
        spool: RejectSpool,
        seen: SeenKeys,
        progress: Progress,
        using: str,
    ) -> None:
        self._dataset = dataset
        self._source = source
        self._plan = Plan.of(source)
        self._bucket = bucket
        self._spool = spool
        self._seen = seen
        self._progress = progress
        self._using = using
        self._counts = Counts()
        self._profiler = Profiler(source.department)
        self._survey = source.survey.anew()
        self._pieces: list[tuple[int, range]] = []

    def add(self, split: Split, loaded: LoadedSplit) -> None:
        piece, found = loaded.piece, loaded.found
        keys = np.frombuffer(loaded.keys, DUMPED)
        if self._spool.has_room_for(found["rejects"]) and self._seen.merge(keys):
            self._spool.merge(found["rejects"], loaded.rejects)
            self._counts += Counts(**found["counts"])
            self._profiler.add_state(found["profile"])
            self._survey.add(found["survey"])
        else:
            piece = self._again(split)
        self._pieces.append((piece, _lines_of(split)))

    def settle(self) -> None:
        """When all are in. Raises ReadOtherwise where all rows together say that they are to be read in another way
        than those at the beginning."""
        if not self._source.is_surveyed:
            self._source.settle(self._survey)

    def finish(self, *, at: datetime) -> Loaded:
        """The pieces in the place of whatever the dataset had."""
        partitions.retire(self._dataset, at=at, using=self._using)
        remove_shared_rows(dataset=self._dataset, using=self._using)
        partitions.attach_pieces(self._dataset.department, bucket=self._bucket, pieces=self._pieces, using=self._using)
        digests.replace_stored(self._seen, dataset_no=self._dataset.number, using=self._using)
        return Loaded(counts=self._counts, bucket=self._bucket, profiler=self._profiler)

    def _again(self, split: Split) -> int:
        """Read behind what was put together so far; its new piece."""
        loaded, piece = _load(
            self._dataset,
            self._plan,
            split,
            held=Held(path=self._source.path),
            bucket=self._bucket,
            spool=self._spool,
            seen=self._seen,
            progress=self._progress,
            using=self._using,
        )
        self._counts += loaded.counts
        self._profiler.add_state(loaded.profiler.state())
        self._survey.add(loaded.survey.state())
        return piece


def _load(
    dataset: Dataset,
    plan: Plan,
    split: Split,
    *,
    held: Held,
    bucket: int,
    spool: RejectSpool,
    seen: SeenKeys,
    progress: Progress,
    using: str,
) -> tuple[Passing, int]:
    department = dataset.department
    source = open_split(
        held,
        split,
        plan=plan,
        department=find_department(department),
        options=ReadOptions(**dataset.read_options),
        listing_limit=spool.room,
    )
    with source:
        passing = Passing(source)
        piece = partitions.make_piece(
            department, bucket=bucket, dataset_no=dataset.number, lines=_lines_of(split), using=using
        )
        with closing(passing.batches(spool=spool, seen=seen, progress=progress)) as ready:
            table = partitions.piece_name(department, bucket=bucket, piece=piece)
            copy_frozen(ready, dataset=dataset, table=table, using=using)
        partitions.close_piece(department, bucket=bucket, piece=piece, using=using)
    return passing, piece


def _lines_of(split: Split) -> range:
    return range(split.first_line, split.after_line)
