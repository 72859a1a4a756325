"""The columns that a parquet file's folders name, as Spark, Athena and others write partitions: `day=2026-11-30/`."""

import re
from typing import Final
from urllib.parse import unquote

from globe_sms.tasks.store.s3_access import is_s3, split_uri

_PARTITION: Final = re.compile(r"([^=/]+)=([^/]*)")
_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


def partitions_of(uri: str) -> tuple[tuple[str, str | None], ...]:
    """Return the columns and values that the folders of a file name, as text; the innermost counts.

    Values are written as in a URL, and None is Hive's name for no value.
    """
    folders = (split_uri(uri)[1] if is_s3(uri) else uri).split("/")[:-1]
    found = [(unquote(each[1]), unquote(each[2])) for each in map(_PARTITION.fullmatch, folders) if each]
    return tuple({name: None if value == _NULL else value for name, value in found}.items())
