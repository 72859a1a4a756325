"""Converts the body of a push to one line of JSON per delivery receipt or reply.

Source: "SmsReport" by HTTP batch push (message type GlobeSmsReport): POST, UTF-8, a JSON array of objects. A single
object, as a message queue writes it, is accepted too, also in base64. Only the form is checked, so that no receipt is
lost if Alibaba adds or renames a field; `tasks.delivery.receipts` reads the fields.
"""

import json
from dataclasses import dataclass

from globe_sms.tasks.delivery.receipt_shapes import Kind, kind_of, named, objects_in


class NotReceiptsError(ValueError):
    """A body isn't a JSON array of objects; the message says what's wrong without quoting it."""


@dataclass(frozen=True, slots=True)
class PushedLines:
    """What a push has: each object is a line of ASCII with its line feed.

    Attributes:
        receipts: delivery receipts, and objects that aren't understood.
        replies: people's replies, kept apart because runs read them for opt-outs.
    """

    receipts: bytes = b""
    replies: bytes = b""


def lines_of(body: bytes) -> PushedLines:
    """Return the lines of a push; an empty body has none.

    Numbers keep all their digits: integers of any length, others as text.

    Raises:
        NotReceiptsError: the body isn't a push of receipts.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReceiptsError("the body isn't UTF-8") from None
    if not text.strip():
        return PushedLines()
    objects = objects_in(text)
    if objects is None:
        raise NotReceiptsError("the body isn't a JSON array of objects")
    receipts, replies = bytearray(), bytearray()
    for each in objects:
        lines = replies if kind_of(named(each)) is Kind.REPLY else receipts
        lines += f"{json.dumps(each, separators=(',', ':'))}\n".encode("ascii")
    return PushedLines(bytes(receipts), bytes(replies))
