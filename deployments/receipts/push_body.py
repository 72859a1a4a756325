"""Converts the body of a push to one line of JSON per delivery receipt.

Source: "SmsReport" by HTTP batch push (message type GlobeSmsReport): POST, UTF-8, a JSON array of objects. A single
object, as a message queue writes it, is accepted too, also in base64. Only the form is checked, so that no receipt is
lost if Alibaba adds or renames a field; `tasks.delivery.receipts` reads the fields.
"""

import json

from globe_sms.tasks.delivery.receipt_shapes import objects_in, text_in


class NotReceiptsError(ValueError):
    """A body isn't a JSON array of objects; the message says what's wrong without quoting it."""


def lines_of(body: bytes) -> tuple[bytes, int]:
    """Return the receipts of a push, each as a line of ASCII with its line feed, and their count.

    An empty body has none. Numbers keep all their digits: integers of any length, others as text.

    Raises:
        NotReceiptsError: the body isn't a push of receipts.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReceiptsError("the body isn't UTF-8") from None
    if not text.strip():
        return b"", 0
    value = text_in(text)
    if value is None:
        raise NotReceiptsError("the body isn't a JSON array of objects")
    receipts = objects_in(value)
    if receipts is None:
        raise NotReceiptsError("the body isn't a JSON array of objects")
    lines = "".join(f"{json.dumps(receipt, separators=(',', ':'))}\n" for receipt in receipts)
    return lines.encode("ascii"), len(receipts)
