"""Finds the column with the phone numbers, and columns by the names that users type."""

from collections.abc import Sequence

from globe_sms.tasks.recipients.column_names import is_possible_name, is_usual_name, is_vague_name, normalize_name
from globe_sms.tasks.recipients.column_samples import ColumnSample
from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.errors import InputError

_SHOWN_COLUMNS = 20
_SHOWN_LENGTH = 40
_DIGITS_OF_A_NUMBER = 6

_HALF = 0.5
_FEWEST_OF_A_PHONE_COLUMN = 5


def number_column(
    uri: str,
    names: Sequence[str],
    wanted: str | None,
    *,
    has_header: bool = True,
    samples: Sequence[ColumnSample] = (),
) -> int:
    """Return the position of the column that holds the phone numbers.

    Without a header `names` are the positions, from "1", and a single column needs no name. `samples` are what the
    values of the columns look like: a column that is found by its name must hold numbers, and no other column may look
    like the one.

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
        _check_values(uri, names, found[0], samples)
        return found[0]
    if found:
        raise _several(uri, [names[position] for position in found])
    data = (
        "; its first line looks like data: is it a list without a header (--no-header)?"
        if _looks_like_data(names)
        else ""
    )
    below = "" if data else "; if that isn't the row with the names of the columns, give it with --header-row"
    raise refusal(
        uri,
        f"no column has a usual name for phone numbers: name one with --number-column (columns: {show(names)})"
        f"{data or below}",
    )


def _several(uri: str, fitting: Sequence[str]) -> InputError:
    return refusal(uri, f"several columns may hold the phone numbers ({show(fitting)}): name one with --number-column")


def _check_values(uri: str, names: Sequence[str], chosen: int, samples: Sequence[ColumnSample]) -> None:
    """Refuse a column with a usual name if its values aren't numbers, or if another column may be the one."""
    if chosen >= len(samples):
        return
    sample = samples[chosen]
    is_vague = is_vague_name(names[chosen])
    fitting = sample.numbers if is_vague else sample.digits
    is_mostly_other = fitting < _HALF * sample.filled
    others = [
        position
        for position, name in enumerate(names[: len(samples)])
        if position != chosen
        and (is_possible_name(name) or (is_mostly_other or (is_vague and not sample.numbers)))
        and (samples[position].share or 0) >= _HALF
    ]
    if others:
        raise _several(uri, [names[position] for position in sorted([chosen, *others])])
    if is_mostly_other and sample.filled >= (1 if is_vague else _FEWEST_OF_A_PHONE_COLUMN):
        raise refusal(
            uri,
            f"the column {_shown(names[chosen])!r} may not hold the phone numbers: only {fitting} of its first "
            f"{sample.filled} values look like one. Name the column with --number-column, this one or another "
            f"(columns: {show(names)})",
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


def named_column(uri: str, names: Sequence[str], wanted: str, *, why: str = "") -> int:
    """Return the position of the column named `wanted`: an exact match, else one with the same normalized name.

    `why` says what needs it, for the message.

    Raises:
        InputError: no column has this name, or several do; the message lists the columns.
    """
    found = [position for position, name in enumerate(names) if name == wanted]
    if not found and normalize_name(wanted):
        found = [position for position, name in enumerate(names) if normalize_name(name) == normalize_name(wanted)]
    if len(found) == 1:
        return found[0]
    quoted, reason = f"{_shown(wanted)!r}", f"; {why}" if why else ""
    if found:
        raise refusal(uri, f"several columns are named {quoted}: rename all but one (columns: {show(names)}){reason}")
    raise refusal(uri, f"no column {quoted} (columns: {show(names)}){reason}")


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
