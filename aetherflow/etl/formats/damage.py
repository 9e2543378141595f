"""What the libraries raise about a damaged file, told from what the disk or a defect raises."""

from __future__ import annotations

import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from aetherflow.etl.rejects import FileRefused

# zipfile says RuntimeError for a password, NotImplementedError for a way of packing it does not know, and for damaged
# tables whatever its arithmetic comes to.
OF_AN_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    OverflowError,
    RuntimeError,
    ValueError,
)


@contextmanager
def damage_is(refusal: FileRefused, *damage: type[Exception]) -> Iterator[None]:
    """Raise `refusal` in the place of `damage`, and of an OSError that is not the disk's."""
    try:
        yield
    except damage as error:
        raise refusal from error
    except OSError as error:
        # A place before a file's beginning is EINVAL, and a broken stream has no number.
        if error.errno not in {None, errno.EINVAL}:
            raise
        raise refusal from error
