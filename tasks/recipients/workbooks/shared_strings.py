"""Looks up the texts that cells refer to by number; only those that are asked for are kept."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.workbooks.package import Package
from globe_sms.tasks.recipients.workbooks.sheet_rows import unescaped
from globe_sms.tasks.recipients.workbooks.xml_stream import EnoughError, XmlHandler, read_xml

_LONGEST: Final = 1 << 17
_MOST_CHARACTERS: Final = 256 << 20


def read_strings(package: Package, part: str | None, wanted: AbstractSet[int]) -> dict[int, str]:
    """Return the wanted shared strings by their number; a number that the workbook doesn't have is left out.

    Raises:
        InputError: the part is damaged, or the strings are too long to be a list.
    """
    if not wanted or part is None or not package.has(part):
        return {}
    strings = _Strings(package.uri, wanted)
    with package.open(part) as stream:
        read_xml(package.uri, stream, strings)
    return strings.found


class _Strings(XmlHandler):
    def __init__(self, uri: str, wanted: AbstractSet[int]) -> None:
        self._uri = uri
        self._wanted = wanted
        self._last = max(wanted)
        self._number = -1
        self._value: list[str] | None = None
        self._is_reading = False
        self._in_phonetics = False
        self._length = 0
        self._all = 0
        self.found: dict[int, str] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - as of any handler
        if name == "si":
            self._number += 1
            self._length = 0
            self._value = [] if self._number in self._wanted else None
        elif name == "t":
            self._is_reading = self._value is not None and not self._in_phonetics
        elif name == "rPh":
            self._in_phonetics = True

    def end(self, name: str) -> None:
        if name == "t":
            self._is_reading = False
        elif name == "rPh":
            self._in_phonetics = False
        elif name == "si" and self._value is not None:
            self.found[self._number] = unescaped("".join(self._value))
            self._value = None
            if self._number >= self._last:
                raise EnoughError

    def text(self, data: str) -> None:
        if self._is_reading and self._value is not None:
            self._value.append(data)
            self._length += len(data)
            self._all += len(data)
            if self._length > _LONGEST or self._all > _MOST_CHARACTERS:
                raise refusal(self._uri, "its texts are too long for a list: save the list as CSV")
