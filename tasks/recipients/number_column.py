"""Finds the column with the phone numbers, and columns by the names that users type."""

import unicodedata
from collections.abc import Sequence

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.errors import InputError

_SHOWN_COLUMNS = 20
_SHOWN_LENGTH = 40
_DIGITS_OF_A_NUMBER = 6

# Compared without case, accents, spaces, dashes and underscores (see `normalize_name`).
_PHONE_WORDS = (
    "phone",
    "mobile",
    "mobilephone",
    "cell",
    "cellphone",
    "cellular",
    "tel",
    "telephone",
    "handphone",
    "handset",
)
_NUMBER_WORDS = ("", "number", "no", "num", "nr", "numbers", "nos")
_OTHER_NAMES = (
    *("msisdn", "to", "recipient", "recipients", "recipientnumber", "recipientphone", "recipientphonenumber"),
    *("number", "numbers", "phones", "mobiles", "contactnumber", "contactno", "contactphone", "contactmobile"),
    *("customerphone", "customermobile", "userphone", "usermobile", "smsnumber", "smsphone", "e164", "phonee164"),
    *("whatsapp", "whatsappnumber", "whatsappno", "destinationnumber", "destination", "hp", "hpno", "nohp", "nomorhp"),
    *("telefon", "telefonnummer", "handy", "handynummer", "mobilnummer", "mobiltelefon"),
    *("telefono", "numerodetelefono", "numerotelefono", "celular", "movil", "cellulare"),
    *("telephoneportable", "numerodetelephone", "telefone", "telemovel", "nomortelepon", "sodienthoai", "sdt"),
    *("手机", "手机号", "手机号码", "电话", "电话号码", "手機", "手機號碼", "電話", "電話番号", "携帯電話", "携帯番号"),
)


def normalize_name(name: str) -> str:
    """Return a column name for comparison: letters and digits only, without case, accents and width.

    `" Phone_No. "`, `"PHONE-NO"` and `"phoneno"` are the same name.
    """
    spread = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in unicodedata.normalize("NFKD", spread.casefold()) if char.isalnum())


_COMMON = frozenset(
    [normalize_name(name) for name in _OTHER_NAMES]
    + [word + number for word in _PHONE_WORDS for number in _NUMBER_WORDS]
)


def is_usual_name(name: str) -> bool:
    """Whether a column of this name is taken for the phone numbers if no column is named."""
    return normalize_name(name) in _COMMON


def number_column(uri: str, names: Sequence[str], wanted: str | None, *, has_header: bool = True) -> int:
    """Return the position of the column that holds the phone numbers.

    Without a header `names` are the positions, from "1", and a single column needs no name.

    Raises:
        InputError: no column matches, or several do; the message lists the columns.
    """
    if wanted is not None and not has_header:
        return _placed_column(uri, len(names), wanted)
    if wanted is not None:
        return named_column(uri, names, wanted)
    if not has_header:
        if len(names) == 1:
            return 0
        raise refusal(
            uri,
            f"it has {len(names)} columns and no header: set --number-column to a position, from 1",
        )
    found = [position for position, name in enumerate(names) if is_usual_name(name)]
    if len(found) == 1:
        return found[0]
    if found:
        fitting = show([names[position] for position in found])
        raise refusal(uri, f"several columns may hold the phone numbers ({fitting}): name one with --number-column")
    hint = (
        "; its first line looks like data: is it a list without a header (--no-header)?"
        if _looks_like_data(names)
        else ""
    )
    raise refusal(
        uri,
        f"no column has a usual name for phone numbers: name one with --number-column (columns: {show(names)}){hint}",
    )


def _placed_column(uri: str, count: int, wanted: str) -> int:
    text = wanted.strip()
    if not (text.isascii() and text.isdigit()):
        raise refusal(
            uri, f"without a header columns have no names: give a position from 1 instead of {_shown(wanted)!r}"
        )
    if not 1 <= int(text[:9]) <= count:
        raise refusal(uri, f"no column {_shown(text)} (the list has {count})")
    return int(text) - 1


def named_column(uri: str, names: Sequence[str], wanted: str) -> int:
    """Return the position of the column named `wanted`: an exact match, else one with the same normalized name.

    Raises:
        InputError: no column has this name, or several do; the message lists the columns.
    """
    found = [position for position, name in enumerate(names) if name == wanted]
    if not found and normalize_name(wanted):
        found = [position for position, name in enumerate(names) if normalize_name(name) == normalize_name(wanted)]
    if len(found) == 1:
        return found[0]
    quoted = f"{_shown(wanted)!r}"
    if found:
        raise refusal(uri, f"several columns are named {quoted}: rename all but one (columns: {show(names)})")
    raise refusal(uri, f"no column {quoted} (columns: {show(names)})")


def show(names: Sequence[str]) -> str:
    """Format column names for a message: shortened, on one line, and with possible phone numbers masked."""
    listed = ", ".join(_shown(name) or "(no name)" for name in names[:_SHOWN_COLUMNS])
    more = len(names) - _SHOWN_COLUMNS
    return (f"{listed} and {more} more" if more > 0 else listed) or "none"


def _shown(name: str) -> str:
    text = one_line(name.strip())
    if sum(char.isdigit() for char in text) >= _DIGITS_OF_A_NUMBER:
        return f"••••{text[-4:]}"
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def _looks_like_data(names: Sequence[str]) -> bool:
    return any(sum(char.isdigit() for char in name) >= _DIGITS_OF_A_NUMBER for name in names)


def check_extra_columns(columns: Sequence[str]) -> None:
    """Refuse names of extra columns that would clash in the frame.

    Raises:
        InputError: a name appears twice, or is `source`, `row` or `recipient`.
    """
    taken = {"source", "row", "recipient"}
    for column in columns:
        if column in taken:
            raise InputError(
                f"the column {_shown(column)!r} can't be read, as its name is taken: rename it in the lists"
            )
        taken.add(column)
