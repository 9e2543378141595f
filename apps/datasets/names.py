"""The names of files, as they are kept."""

import re
import unicodedata
from uuid import UUID

from aetherflow.errors import InvalidError

# File systems hold names of 255 bytes; the rest is for what a store adds while it writes.
_NAME_BYTES = 200
_LONGEST_SUFFIX = 10
# Letters by Unicode's book, of which nothing is to be seen.
_EMPTY_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Windows takes these for machines, whatever stands behind the first dot.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"}
)
# What a double click runs, and what a browser shows as a page: no export has such a name, and a colleague who downloads
# it would trust it.
_RUN = re.compile(
    r"apk|app|bat|cmd|com|cpl|deb|dll|dmg|exe|gadget|hta|inf|iso|jar|jse?|lnk|ms[cip]|pif|pl|ps1|psm1|py|rb|reg|rpm"
    r"|sc[fr]|sh|url|vb[es]?|wasm|ws[fh]?|[amps]?html?|aspx?|jsp|mht|mjs|php|svgz?|swf|xht(?:ml)?|xslt?"
)


def clean_filename(name: str) -> str:
    """A file name that is safe in a key, a path and a header, and still recognised by the one who chose it.

    Path parts, control characters and text-direction overrides go. At most 200 bytes of UTF-8 stay, so that it fits
    a dataset's name (200 characters), its `original_filename` (255), a file system (255 bytes) and, below the longest
    folder, an S3 key (1024 bytes).
    """
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(each for each in base if unicodedata.category(each)[0] != "C" and each not in _EMPTY_LETTERS)
    # Again: what has gone may have kept a letter and its mark apart.
    safe = "".join(each if _is_safe(each) else "_" for each in unicodedata.normalize("NFC", visible)).strip(" .")
    if safe.partition(".")[0].strip().lower() in _DEVICES:
        safe = f"_{safe}"
    stem, dot, suffix = safe.rpartition(".")
    if dot and len(suffix) <= _LONGEST_SUFFIX:
        return f"{_cut(stem, _NAME_BYTES - 1 - len(suffix.encode())).strip(' .') or 'upload'}.{suffix}"
    return _cut(safe, _NAME_BYTES).strip(" .") or "upload"


def refuse_what_runs(filename: str) -> None:
    """Raises InvalidError for the name of a program or a web page. What is in the file is for the worker to see."""
    _, _, suffix = filename.rpartition(".")
    if _RUN.fullmatch(suffix.lower()):
        raise InvalidError(
            f"{filename} has the name of a program or a web page, not of a data file.",
            code="file-type",
            hint="Export the data as CSV, Excel (.xlsx), Parquet or JSON lines and upload that file; if it is one of "
            "these, give it the ending that belongs to it, such as .csv.",
            details={"ending": f".{suffix}"},
        )


def raw_key(*, department: str, dataset_id: UUID, filename: str) -> str:
    return f"raw/{department}/{dataset_id}/{filename}"


def _is_safe(each: str) -> bool:
    """Letters and digits of any script with their marks, without which Hindi or Thai cannot be read."""
    return unicodedata.category(each)[0] in "LMN" or each in "_.()+ -"


def _cut(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` bytes of UTF-8 that ends between two characters, marks included."""
    kept = text.encode()[:limit].decode(errors="ignore")
    while kept and unicodedata.category(text[len(kept) : len(kept) + 1] or " ")[0] == "M":
        kept = kept[:-1]
    return kept
