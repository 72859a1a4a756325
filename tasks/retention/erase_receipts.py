"""Erases numbers from pushed receipts and replies, where `globe-sms receipts` keeps them.

A receipt keeps its ids, status, code and times, and a hash of its number. A reply stays as long as its number isn't
forgotten: the opt-out that it may be holds for good. Objects become a line of JSON for each receipt; what couldn't be
read in them is dropped.
"""

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from globe_sms.tasks.campaign.number_hashes import MARK
from globe_sms.tasks.delivery.json_scan import Junk, Scan
from globe_sms.tasks.delivery.receipt_shapes import Kind, digits_of, kind_of, unwrapped
from globe_sms.tasks.recipients.file_content import decompress_stream
from globe_sms.tasks.recipients.file_formats import compression_of
from globe_sms.tasks.replies.stored_replies import STARTED
from globe_sms.tasks.retention.erase_campaign import ErasedObject
from globe_sms.tasks.retention.erased_rows import Erasure
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError

_OF_NUMBERS: Final = ("To", "phone_number")
_DROPPED: Final = ("ErrorDescription", "err_msg", "NumberDetail")
_SET_ASIDE: Final = "_"
_OURS: Final = "."
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{12,}={0,2}")


def erase_receipts(place: Store, erasure: Erasure, *, before: datetime, apply: bool) -> Iterator[ErasedObject]:
    """Erase all numbers from the objects that were written before then, or one from all; yield what that concerns.

    Bodies that the endpoint refused may hold anything: they are deleted.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    seen: set[str] = set()
    while keys := [key for key in place.list("") if key not in seen]:
        # What is put together meanwhile (`replies.put_together`) has other names when this ends.
        seen.update(keys)
        for key in keys:
            yield from _erase_object(place, key, erasure, before=before, apply=apply)


def _erase_object(place: Store, key: str, erasure: Erasure, *, before: datetime, apply: bool) -> Iterator[ErasedObject]:
    # What says when an endpoint started has no numbers, and opt-outs by replies need it.
    stored = None if key.startswith((_OURS, f"{STARTED}/")) else place.get(key)
    if stored is None or (erasure.phone_number is None and stored.modified >= before.timestamp()):
        return
    uri = f"{place.uri}/{key}"
    if key.startswith(_SET_ASIDE):
        if erasure.phone_number is None or _says(stored.body, erasure.phone_number[1:].encode()):
            if apply:
                place.delete(key)
            yield ErasedObject(uri, None)
        return
    lines, count = _erased(uri, stored.body, erasure)
    if count:
        if apply:
            place.compare_and_swap(key, lines, stored.version)
        yield ErasedObject(uri, count)


def _says(body: bytes, digits: bytes) -> bool:
    """Whether a body that was refused has these digits; as a queue's message it may be in base64."""
    return digits in body or any(digits in _decoded(each) for each in _BASE64.findall(body))


def _decoded(text: bytes) -> bytes:
    return base64.b64decode(text[: len(text) // 4 * 4])


def _erased(uri: str, body: bytes, erasure: Erasure) -> tuple[bytes, int]:
    """Return an object without the numbers, and how many of its receipts and replies that concerns."""
    found: list[Mapping[str, Any]] = []
    count = 0
    try:
        for each in Scan(decompress_stream(uri, io.BytesIO(body), compression_of(body))):
            for fields in () if isinstance(each, Junk) else unwrapped(each):
                concerned = _concerned(fields, erasure)
                count += concerned
                found.append(_without_number(fields, erasure) if concerned else fields)
    except InputError:
        return b"", 0  # not JSON: it never was a receipt
    lines = "".join(f"{json.dumps(fields, separators=(',', ':'))}\n" for fields in found)
    return lines.encode("ascii"), count


def _concerned(fields: Mapping[str, Any], erasure: Erasure) -> bool:
    numbers = [digits_of(fields[name]) for name in _OF_NUMBERS if fields.get(name)]
    if erasure.phone_number is not None:
        return erasure.phone_number[1:] in numbers
    # Of a reply, whose opt-out holds for good, nothing is erased because of its age.
    return kind_of(fields) is not Kind.REPLY and any(not number.startswith(MARK) for number in numbers)


def _without_number(fields: Mapping[str, Any], erasure: Erasure) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if name not in {*_DROPPED, "content"}}
    for name in _OF_NUMBERS:
        if kept.get(name):
            kept[name] = erasure.hashes.number(f"+{digits_of(kept[name])}")
    return kept
