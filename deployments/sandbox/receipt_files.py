"""Writes delivery receipts to a folder or an S3 prefix, like a consumer of Alibaba's queue or push."""

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

_S3 = "s3://"


def write_receipts(
    receipts: Iterable[Mapping[str, str]],
    place: str,
    *,
    form: Literal["ndjson", "array"] = "ndjson",
    per_file: int = 10_000,
    compressed: bool = False,
    shuffled: int | None = None,
    s3: Any = None,
) -> list[str]:
    """Write the receipts to files of up to `per_file` each, and return their paths; `shuffled` is a seed for the order.

    `place` is a folder or s3://bucket/prefix; `s3` is a boto3 client, by default made from the environment.
    """
    if shuffled is not None:
        listed = list(receipts)
        random.Random(shuffled).shuffle(listed)
        receipts = listed
    written: list[str] = []
    for index, group in enumerate(_groups(receipts, per_file)):
        name = f"receipts-{index:05d}.{'ndjson' if form == 'ndjson' else 'json'}{'.gz' if compressed else ''}"
        text = json.dumps(group) if form == "array" else "".join(f"{json.dumps(receipt)}\n" for receipt in group)
        body = gzip.compress(text.encode()) if compressed else text.encode()
        written.append(_put(place, name, body, s3))
    return written


def _groups(receipts: Iterable[Mapping[str, str]], size: int) -> Iterator[list[Mapping[str, str]]]:
    group: list[Mapping[str, str]] = []
    for receipt in receipts:
        group.append(receipt)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _put(place: str, name: str, body: bytes, s3: Any) -> str:
    if place.startswith(_S3):
        import boto3

        bucket, _, prefix = place.removeprefix(_S3).partition("/")
        key = f"{prefix.rstrip('/')}/{name}".lstrip("/")
        (s3 or boto3.client("s3")).put_object(Bucket=bucket, Key=key, Body=body)
        return f"{_S3}{bucket}/{key}"
    path = Path(place) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return str(path)
