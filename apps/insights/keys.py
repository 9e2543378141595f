"""How results are spelled where they must be the same to the byte, and what they are found by."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from aetherflow.insight import InsightResult


def canonical(value: object) -> str:
    """JSON in one fixed spelling: keys in order, no spaces. ValueError for what is no number."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def subject_key(subject: Iterable[str]) -> UUID:
    """What an item is found by from one computation to the next: the first half of its subject's SHA-256."""
    return UUID(bytes=hashlib.sha256(canonical(list(subject)).encode()).digest()[:16])


def sha256_of(result: InsightResult, *, items: Iterable[str] | None) -> str:
    """Of the canonical JSON object {data, items, parameters, quality, summary}. `items` are the result's, spelled
    already; they are hashed one by one, since of 50,000 a single text would be another copy of all of them."""
    digest = hashlib.sha256()
    for piece in _pieces(result, items):
        digest.update(piece.encode())
    return digest.hexdigest()


def _pieces(result: InsightResult, items: Iterable[str] | None) -> Iterator[str]:
    yield f'{{"data":{canonical(result.data)},"items":'
    if items is None:
        yield "null"
    else:
        yield "["
        for place, item in enumerate(items):
            yield f",{item}" if place else item
        yield "]"
    rest: Mapping[str, object] = {
        "parameters": dict(result.parameters),
        "quality": result.quality,
        "summary": result.summary,
    }
    yield f",{canonical(rest)[1:]}"
