"""The body of a push -> one line of JSON for each delivery receipt.

Source: "SmsReport" by HTTP batch push (message type GlobeSmsReport): POST, UTF-8, a JSON array of objects. One object
alone, as a message queue writes it, is taken too. What the fields mean is for the reader (`tasks.delivery.receipts`):
here nothing is judged but the form, so that no receipt is lost for a field that Alibaba adds or renames.
"""

import json
from typing import Any, NoReturn


class NotReceiptsError(ValueError):
    """A body is no JSON array of objects; the message says what it is instead and quotes nothing of it."""


def lines_of(body: bytes) -> tuple[bytes, int]:
    """Return the receipts of a push, each as a line of ASCII with its line feed, and how many there are.

    Numbers are kept as they stand: whole ones whatever their length, others as text.

    Raises:
        NotReceiptsError: this is no push of receipts.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_float=str, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise NotReceiptsError("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise NotReceiptsError("the body is not JSON") from None
    receipts: list[Any] = [value] if isinstance(value, dict) else value
    if not isinstance(value, dict | list) or not all(isinstance(receipt, dict) for receipt in receipts):
        raise NotReceiptsError("the body is no JSON array of objects")
    lines = "".join(f"{json.dumps(receipt, separators=(',', ':'))}\n" for receipt in receipts)
    return lines.encode("ascii"), len(receipts)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
