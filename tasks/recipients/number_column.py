"""Which column holds the phone numbers, and which one a user means by a name."""

import unicodedata
from collections.abc import Sequence

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.errors import InputError

_SHOWN_COLUMNS = 20
_SHOWN_LENGTH = 40
_DIGITS_OF_A_NUMBER = 6

# Compared without case, accents, spaces, dashes, underscores and the like (see `plain`).
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


def plain(name: str) -> str:
    """Return a column name as it is compared: letters and digits only, no case, no accents, no width.

    `" Phone_No. "`, `"PHONE-NO"` and `"phoneno"` are one name.
    """
    spread = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in unicodedata.normalize("NFKD", spread.casefold()) if char.isalnum())


_COMMON = frozenset(
    [plain(name) for name in _OTHER_NAMES] + [word + number for word in _PHONE_WORDS for number in _NUMBER_WORDS]
)


def is_common(name: str) -> bool:
    """Whether a column of this name is taken for the phone numbers without being told."""
    return plain(name) in _COMMON


def number_column(uri: str, names: Sequence[str], wanted: str | None, *, has_header: bool = True) -> int:
    """Return the position of the column that holds the phone numbers.

    Without a header `names` are the places, from "1", and a single column needs no naming.

    Raises:
        InputError: None fits, or several do; the message lists the columns.
    """
    if wanted is not None and not has_header:
        return _placed_column(uri, len(names), wanted)
    if wanted is not None:
        return named_column(uri, names, wanted)
    if not has_header:
        if len(names) == 1:
            return 0
        raise refusal(uri, f"it has {len(names)} columns and no header: give --number-column, 1 being the first")
    found = [place for place, name in enumerate(names) if is_common(name)]
    if len(found) == 1:
        return found[0]
    if found:
        fitting = show([names[place] for place in found])
        raise refusal(uri, f"several columns may hold the phone numbers ({fitting}): name one with --number-column")
    hint = (
        "; its first line looks like data: is it a list without a header (--no-header)?"
        if _looks_like_data(names)
        else ""
    )
    raise refusal(
        uri, f"no column is named like a phone number: name one with --number-column (columns: {show(names)}){hint}"
    )


def _placed_column(uri: str, count: int, wanted: str) -> int:
    text = wanted.strip()
    if not (text.isascii() and text.isdigit()):
        raise refusal(uri, f"without a header columns have no names: give the place of {_shown(wanted)!r}, from 1")
    if not 1 <= int(text[:9]) <= count:
        raise refusal(uri, f"there is no column {_shown(text)} (the list has {count})")
    return int(text) - 1


def named_column(uri: str, names: Sequence[str], wanted: str) -> int:
    """Return the position of the column that a user means by `wanted`: exactly this name, else one that is plainly it.

    Raises:
        InputError: No column is called so, or several are; the message lists the columns.
    """
    found = [place for place, name in enumerate(names) if name == wanted]
    if not found and plain(wanted):
        found = [place for place, name in enumerate(names) if plain(name) == plain(wanted)]
    if len(found) == 1:
        return found[0]
    told = f"{_shown(wanted)!r}"
    if found:
        raise refusal(uri, f"several columns are named {told}: rename all but one (columns: {show(names)})")
    raise refusal(uri, f"there is no column {told} (columns: {show(names)})")


def show(names: Sequence[str]) -> str:
    """Write column names for a message: shortened, on one line, and without what looks like a phone number."""
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


def check_wanted(columns: Sequence[str]) -> None:
    """Refuse names for further columns that would clash in the frame.

    Raises:
        InputError: A name stands twice, or is one of `source`, `row`, `recipient`.
    """
    taken = {"source", "row", "recipient"}
    for column in columns:
        if column in taken:
            raise InputError(f"the column {_shown(column)!r} cannot be read: the name is taken: rename it in the lists")
        taken.add(column)
