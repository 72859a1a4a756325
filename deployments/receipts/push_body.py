"""Converts the body of a push to one line of JSON per delivery receipt.

Source: "SmsReport" by HTTP batch push (message type GlobeSmsReport): POST, UTF-8, a JSON array of objects. A single
object, as a message queue writes it, is accepted too. Only the form is checked, so that no receipt is lost if Alibaba
adds or renames a field; `tasks.delivery.receipts` reads the fields.
"""

import json
from typing import Any, NoReturn


class NotReceiptsError(ValueError):
    """A body isn't a JSON array of objects; the message says what's wrong without quoting it."""


def lines_of(body: bytes) -> tuple[bytes, int]:
    """Return the receipts of a push, each as a line of ASCII with its line feed, and their count.

    Numbers keep all their digits: integers of any length, others as text.

    Raises:
        NotReceiptsError: the body isn't a push of receipts.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_float=str, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise NotReceiptsError("the body isn't UTF-8") from None
    except (ValueError, RecursionError):
        raise NotReceiptsError("the body isn't JSON") from None
    receipts: list[Any] = [value] if isinstance(value, dict) else value
    if not isinstance(value, dict | list) or not all(isinstance(receipt, dict) for receipt in receipts):
        raise NotReceiptsError("the body isn't a JSON array of objects")
    lines = "".join(f"{json.dumps(receipt, separators=(',', ':'))}\n" for receipt in receipts)
    return lines.encode("ascii"), len(receipts)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} isn't JSON")
