"""Reads the table of `--numbers-override`, the prefixes that count as mobile or don't, and checks each row."""

from collections.abc import Callable
from typing import Final

import phonenumbers

from globe_sms.tasks.numbers import LONGEST_PREFIX, NO_OVERRIDES, Overrides
from globe_sms.tasks.recipients import fault_in, read_small_table, refusal
from globe_sms.tasks.store.s3_access import S3Access

PREFIX: Final = "prefix"
MOBILE: Final = "mobile"
MOST_PREFIXES: Final = 10_000
_LONGEST_CODE: Final = 3
_MEANT: Final = {
    **dict.fromkeys(("yes", "y", "true", "1", "1.0"), True),
    **dict.fromkeys(("no", "n", "false", "0", "0.0"), False),
}
_SEPARATORS: Final = str.maketrans("", "", " -()\u00a0")


def read_overrides(uri: str | None, s3: Callable[[], S3Access]) -> Overrides:
    """Read a table of the columns `prefix` and `mobile`, in any format that a list may have; None reads nothing.

    A prefix is that of an E.164 number, +65 8 or 658: a country code, at least one digit more, at most 15 in all.
    `mobile` is yes or no. Other columns are ignored.

    Raises:
        InputError: the table can't be read, is empty or too long, or a row is wrong; one line that names it.
    """
    if uri is None:
        return NO_OVERRIDES
    table = read_small_table(
        uri,
        s3,
        keys=(PREFIX,),
        columns=(MOBILE,),
        most_rows=MOST_PREFIXES,
        meant_for="prefixes",
        option="--numbers-override",
    )
    mobile: dict[str, bool] = {}
    for row in table.rows:
        prefix, word = row.cells
        digits, fault = _digits(prefix)
        is_mobile = _MEANT.get(word.casefold())
        if is_mobile is None:
            fault = fault or "says neither yes nor no in the column `mobile`"
        elif mobile.setdefault(digits, is_mobile) is not is_mobile:
            fault = fault or "says the opposite of an earlier row with the same prefix"
        if fault:
            raise fault_in(row.source, row.row, fault)
    if not mobile:
        raise refusal(uri, "holds no prefixes: give a table with the columns `prefix` and `mobile`")
    return Overrides(mobile)


def _digits(prefix: str) -> tuple[str, str | None]:
    """Return the digits of a prefix, and what is wrong with them."""
    digits = prefix.strip().removesuffix(".0").translate(_SEPARATORS).removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return digits, "holds a prefix that is not digits: write it like +658"
    lengths = range(1, _LONGEST_CODE + 1)
    code = next((length for length in lengths if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 0)
    if digits.startswith("0") or not code:
        return digits, "holds a prefix that does not begin with a country code: write it like +658"
    if len(digits) <= code:
        return digits, "holds a prefix that is a whole country: add at least one digit"
    if len(digits) > LONGEST_PREFIX:
        return digits, f"holds a prefix of more than {LONGEST_PREFIX} digits"
    return digits, None
