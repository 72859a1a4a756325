"""What a workbook has: its sheets, which of them are hidden, its number formats and how it counts days."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.workbooks.package import DAMAGED, Package
from globe_sms.tasks.recipients.workbooks.xml_stream import XmlHandler, read_xml

_WORKBOOK: Final = "xl/workbook.xml"
_TRUE: Final = frozenset({"1", "true", "on"})
_MOST_ENTRIES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its name, the part that holds it, and whether the program hides it ("very hidden" included)."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """The sheets in order, and what their cells refer to.

    `formats` is the number format of each cell style, `GENERAL` where it has none; `from_1904` says that day 0 is
    1904-01-01.
    """

    sheets: tuple[Sheet, ...]
    formats: tuple[int | str, ...]
    strings: str | None
    from_1904: bool


def is_true(value: str | None) -> bool:
    """Whether an attribute of type boolean is true."""
    return value is not None and value.strip().casefold() in _TRUE


def read_contents(package: Package) -> Contents:
    """Read what a workbook has, without its rows.

    Raises:
        InputError: it is damaged.
    """
    part = next((target for kind, target in _relations(package, "").values() if kind == "officeDocument"), _WORKBOOK)
    book = _Book(package.uri)
    with package.open(part) as stream:
        read_xml(package.uri, stream, book)
    relations = _relations(package, part)
    by_kind = dict(relations.values())
    sheets = tuple(
        Sheet(name, relations[relation][1], hidden)
        for name, relation, hidden in book.sheets
        if relation in relations and relations[relation][0] == "worksheet" and package.has(relations[relation][1])
    )
    return Contents(sheets, _formats(package, by_kind.get("styles")), by_kind.get("sharedStrings"), book.from_1904)


def _relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Return the kind and the target part of each relation of a part, by its id; none if it has no relations."""
    folder, _, name = part.rpartition("/")
    place = f"{folder}/_rels/{name}.rels" if part else "_rels/.rels"
    if not package.has(place):
        return {}
    relations = _Relations(package.uri, folder)
    with package.open(place) as stream:
        read_xml(package.uri, stream, relations)
    return relations.found


class _Relations(XmlHandler):
    def __init__(self, uri: str, folder: str) -> None:
        self._uri = uri
        self._folder = folder
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name != "Relationship" or len(self.found) > _MOST_ENTRIES:
            return
        target = attributes.get("Target", "")
        place = target if target.startswith("/") else posixpath.normpath(posixpath.join(self._folder, target))
        kind = attributes.get("Type", "").rpartition("/")[2]
        self.found[attributes.get("Id", "")] = (kind, place)


class _Book(XmlHandler):
    def __init__(self, uri: str) -> None:
        self._uri = uri
        self.sheets: list[tuple[str, str, bool]] = []
        self.from_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr":
            self.from_1904 = is_true(attributes.get("date1904"))
        elif name == "sheet":
            if len(self.sheets) > _MOST_ENTRIES:
                raise refusal(self._uri, DAMAGED)
            relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append((attributes.get("name", ""), relation, hidden))


def _formats(package: Package, part: str | None) -> tuple[int | str, ...]:
    if part is None or not package.has(part):
        return ()
    styles = _Styles(package.uri)
    with package.open(part) as stream:
        read_xml(package.uri, stream, styles)
    return tuple(styles.codes.get(number, number) for number in styles.numbers)


class _Styles(XmlHandler):
    """Collects the custom format codes, and the format number of each style of a cell."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._in_cells = False
        self.codes: dict[int, str] = {}
        self.numbers: list[int] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            self.numbers.append(int(attributes.get("numFmtId", "0")))
        elif name == "numFmt":
            self.codes[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        if len(self.numbers) > _MOST_ENTRIES or len(self.codes) > _MOST_ENTRIES:
            raise refusal(self._uri, DAMAGED)

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False
