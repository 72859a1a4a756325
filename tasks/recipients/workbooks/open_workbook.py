"""Opens a workbook on S3 or disk for the length of a block, without reading it into memory."""

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import IO, Final, cast

from globe_sms.tasks.recipients.file_content import open_stored
from globe_sms.tasks.recipients.list_source import ListSource, refusal
from globe_sms.tasks.recipients.workbooks.package import Package, open_package
from globe_sms.tasks.store.s3_access import S3Access

_LARGEST: Final = 1 << 30
_CHUNK: Final = 1 << 20


@contextmanager
def open_workbook(source: ListSource, s3: Callable[[], S3Access]) -> Generator[Package]:
    """Open a workbook; one on S3 is copied to a temporary file, because its directory is at its end.

    Raises:
        InputError: it can't be read, is something else, or is larger than 1 GiB.
    """
    if source.size > _LARGEST:
        raise refusal(source.uri, f"it is larger than {_LARGEST >> 30} GiB: save the list as CSV")
    with open_stored(source, s3) as stored:
        if not source.on_s3:
            with open_package(source.uri, stored) as package:
                yield package
            return
        with tempfile.TemporaryFile(prefix="globe-sms-list-") as file:
            while piece := stored.read(_CHUNK):
                file.write(piece)
            with open_package(source.uri, cast("IO[bytes]", file)) as package:
                yield package
