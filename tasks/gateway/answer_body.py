"""Reads an answer's body, JSON or XML, into a flat mapping, and its fields in every form they come in."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast
from xml.etree import ElementTree as ET

LARGEST_BODY: Final = 4 * 1024 * 1024
"""Bytes; an answer for 1,000 numbers has about 40 KB."""

_LONGEST_COUNT: Final = 9


def read_fields(body: bytes) -> Mapping[str, object] | None:
    """Return the fields of an answer, or None if the body isn't one of the gateway's; never raises.

    Bytes that aren't UTF-8 are replaced: numbers, ids and codes are ASCII, so only descriptions can suffer.
    """
    if len(body) > LARGEST_BODY:
        return None
    text = body.decode("utf-8-sig", errors="replace").strip()
    if text.startswith("{"):
        return _fields_of_json(text)
    if text.startswith("<"):
        return _fields_of_xml(text)
    return None


def read_list(value: object) -> tuple[str, ...] | None:
    """Return the entries of a list field as texts, or None if it isn't readable; never raises.

    A list comes as JSON text or as an array, of texts or integers; an empty one is `"[]"`, `""`, null, or missing.
    """
    if isinstance(value, str):
        value = _load(value) if value.strip() else None
    if value is None:
        return ()
    if not isinstance(value, list):
        return None
    given = cast("list[object]", value)
    if set(map(type, given)) == {str} and all(given):
        texts = cast("list[str]", given)
        if "".join(texts).encode("ascii", "replace").isalnum():
            return tuple(texts)  # as a rule; one by one, a thousand take five times as long
    entries: list[str] = []
    for entry in given:
        if isinstance(entry, bool) or not isinstance(entry, str | int):
            return None
        text = printable(str(entry)).strip()
        if not text:
            return None
        entries.append(text)
    return tuple(entries)


def read_count(value: object) -> tuple[int | None, bool]:
    """Return a count field as (count, readable): a missing one is (None, True), an unreadable one (None, False)."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, True
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None, False
    digits = str(value).strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_COUNT:
        return int(digits), True
    return None, False


def read_text(value: object) -> str | None:
    """Return a text field on one line, or None if it's missing, empty or not a text; never raises."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return " ".join(printable(str(value)).split()) or None


def printable(text: str) -> str:
    """Replace characters that can't be encoded or printed: lone surrogates and control characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text.encode("utf-8", "replace").decode("utf-8"))


def _load(text: str) -> Any:
    """Parse JSON; return the text itself if it isn't valid."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _fields_of_json(text: str) -> Mapping[str, object] | None:
    value = _load(text)
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _fields_of_xml(text: str) -> Mapping[str, object] | None:
    """Return the children of the root element, or of an `Error` element in it, without namespaces."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 # already decoded, so no encoding can hide the DOCTYPE refused above
    except (ET.ParseError, ValueError):
        return None
    fields: dict[str, object] = {}
    for element in (root, *root.findall("Error")):
        for child in element:
            name = child.tag.rpartition("}")[2]
            fields[name] = [entry.text for entry in child] if len(child) else child.text
    return fields
