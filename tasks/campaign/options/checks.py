"""The values of single options, checked as they come in.

Each check returns the value as it is to be kept, or raises ValueError with what is wrong and what to write instead.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from globe_sms.tasks.campaign.experiment import read_by_language, read_holdout, read_variants
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.options.database import CONNECTION_NAME
from globe_sms.tasks.campaign.until import check_until
from globe_sms.tasks.messages import parse_template
from globe_sms.tasks.numbers import checked_region
from globe_sms.tasks.recipients import OF_NAMED_COLUMNS, OF_NUMBERS, known_encoding, split_format
from globe_sms.tasks.store.s3_access import is_s3
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed, mask_written

LONGEST_HOURS_WAIT_DAYS: Final = 7
LONGEST_REPEAT_AFTER_DAYS: Final = 30
_CAMPAIGN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_LONG_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9_])[0-9]{8,15}(?![A-Za-z0-9_])")
_NUMBER_ALONE: Final = re.compile(r"'[ ().%+-]*[0-9](?:[ ().%+-]*[0-9]){6,}[ ().%+-]*'")
_DAY: Final = re.compile(r"'?(?:19|20)[0-9]{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{6})?'?")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")


def uris_of_lists(value: tuple[str, ...]) -> tuple[str, ...]:
    """Where lists are."""
    for place, uri in enumerate(value, 1):
        if not uri.strip():
            raise ValueError(f"item {place} is blank; give an s3:// object, prefix or glob, or a local path")
    return value


def opt_out_lists(value: tuple[str, ...]) -> tuple[str, ...]:
    """Where opt-out lists are, optionally with how each is read."""
    for uri in uris_of_lists(value):
        check_format(uri)
    return value


def variants(value: tuple[str, ...]) -> tuple[str, ...]:
    """Texts of an experiment, each with a name and perhaps a share."""
    for each in read_variants(value):
        _named_text(f"variant {each.name}", each.text)
    return value


def texts_by_language(value: tuple[str, ...]) -> tuple[str, ...]:
    """Texts by language tag."""
    for tag, text in read_by_language(value).items():
        _named_text(tag, text)
    return value


def _named_text(name: str, text: str) -> None:
    if not text.strip():
        raise ValueError(f"{name}: the text is blank; write the text that people get")
    try:
        message(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def holdout(value: str | None) -> str | None:
    """A percentage."""
    if value is not None:
        read_holdout(value)
    return value


def place_of_table(value: str | None) -> str | None:
    """Where a table of many objects is."""
    if value is not None and "://" in value and not is_s3(value):
        raise ValueError(f"{mask_typed(value)!r} is neither s3://bucket/prefix nor a directory")
    return value


def column_names(value: tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns, each once."""
    for place, name in enumerate(value, 1):
        if not name.strip():
            raise ValueError(f"item {place} is blank; give the name of a column of the lists, or * for all of them")
    return tuple(dict.fromkeys(value))


def uri_of_table(value: str | None) -> str | None:
    """Where one table is, optionally with its encoding."""
    if value is not None and not value.strip():
        raise ValueError("the URI is blank; give an s3:// object or a local path, or leave the option out")
    if value is not None:
        check_format(value, OF_NAMED_COLUMNS)
    return value


def uri_of_query(value: str | None) -> str | None:
    """Where a file with a query is."""
    if value is not None and not value.strip():
        raise ValueError("the path is blank; say where the file is, or leave the option out")
    return value


def check_format(place: str, allowed: Collection[str] = OF_NUMBERS) -> None:
    """Check the options after a table's URI, which say how it's read.

    Raises:
        ValueError: they aren't valid.
    """
    try:
        split_format(place, allowed)
    except InputError as error:
        raise ValueError(str(error)) from None


def countries(value: tuple[str, ...]) -> tuple[str, ...]:
    """Countries by their two letters, sorted, each once."""
    try:
        return tuple(sorted({checked_region(region.strip()) or "" for region in value}))
    except InputError:
        typed = ", ".join(repr(mask_typed(each)) for each in value)
        raise ValueError(f"unknown country among {typed}: give two letters, such as SG") from None


def message(value: str) -> str:
    """A text, perhaps with placeholders."""
    if value and not value.strip():
        raise ValueError("the message is blank; write the text that people get")
    if _CONTROL.search(value):
        raise ValueError("the message has control characters; only line breaks are allowed in a text")
    try:
        parse_template(value)
    except InputError as error:
        raise ValueError(str(error)) from error
    return value


def campaign_id(value: str | None) -> str | None:
    """An id that fits in a TaskId and in a key."""
    if value is not None and not _CAMPAIGN.fullmatch(value):
        raise ValueError(
            "a campaign id has 1 to 100 letters, digits, dashes or underscores and begins with a letter or digit"
        )
    return value


def hours(value: str | None) -> str | None:
    """Hours of the day, such as `09:00-20:00`."""
    return None if value is None else str(Hours.parse(value))


def hours_wait(value: str) -> str:
    """How long rows may wait for their hours."""
    return _duration(value, LONGEST_HOURS_WAIT_DAYS)


def repeat_after(value: str) -> str:
    """How long after a text the same person may get it again."""
    return _duration(value, LONGEST_REPEAT_AFTER_DAYS)


def _duration(value: str, longest_days: int) -> str:
    try:
        seconds_of(value, longest_days=longest_days)
    except InputError as error:
        raise ValueError(str(error)) from error
    return value


def until(value: str | None) -> str | None:
    """The latest time to send."""
    return None if value is None else check_until(value)


def query(value: str | None) -> str | None:
    """A query without phone numbers: it's recorded with the run."""
    if value is None:
        return None
    if not value.strip("; \t\r\n"):
        raise ValueError("the query is blank; write one, or leave the option out")
    found = (*_LONG_NUMBER.findall(value), *_NUMBER_ALONE.findall(value))
    if mask_written(value) != value or any(not _DAY.fullmatch(each) for each in found):
        raise ValueError(
            "the query has what looks like a phone number, and Prefect records the query: put it into a file "
            "(--query-file), or into a table of the database"
        )
    return value


def connection(value: str | None) -> str | None:
    """The name of a connection, never the connection itself."""
    if value is not None and not re.fullmatch(CONNECTION_NAME, value):
        raise ValueError(
            "give the name of an environment variable or of a Prefect block (letters, digits, dashes, underscores), "
            "never the database's URI: it would be recorded with its password"
        )
    return value


def region(value: str | None) -> str | None:
    """A country by its two letters."""
    try:
        return None if value is None else checked_region(value)
    except InputError as error:
        raise ValueError(str(error)) from error


def encoding(value: str | None) -> str | None:
    """The encoding of a text list, as Python names it."""
    try:
        return None if value is None else known_encoding(value)
    except InputError as error:
        raise ValueError(str(error)) from error


CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "recipients": uris_of_lists,
    "suppress": opt_out_lists,
    "exclude_results": uris_of_lists,
    "allow_country": countries,
    "deny_country": countries,
    "message": message,
    "campaign": campaign_id,
    "hours": hours,
    "hours_wait": hours_wait,
    "until": until,
    "repeat_after": repeat_after,
    "default_region": region,
    "query": query,
    "query_file": uri_of_query,
    "connection": connection,
    "encoding": encoding,
    "numbers_override": uri_of_table,
    "prices": uri_of_table,
    "keep": column_names,
    "publish": place_of_table,
    "variant": variants,
    "message_by_language": texts_by_language,
    "holdout": holdout,
}
"""The check of each option that has one."""
