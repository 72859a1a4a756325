"""Workbooks that are built to fill the memory are refused in one line, or what fills it is passed over."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import pytest
from workbook_parts import MAIN, package, row_xml, rows_xml, sheet_xml, text_cell, zipped

MIB: Final = 1 << 20
PEOPLE: Final = [["phone", "name"], ["+6591234567", "Anna"]]
DAMAGED: Final = "it isn't a readable XLSX workbook"
# Reads each file of a folder with little memory, and prints what came of it.
CHILD: Final = """
import json, resource, sys
from pathlib import Path
from globe_sms.tasks.recipients import ReadOptions, Hidden, find_lists, open_lists, rows_of
from globe_sms.tasks.vocabulary.errors import InputError
resource.setrlimit(resource.RLIMIT_AS, (8_000_000_000, 8_000_000_000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
said = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        sources = find_lists([str(path)], dict, options=ReadOptions(hidden=Hidden.REFUSE))
        opened = open_lists(sources, number_column=None, s3=dict)
        said[path.name] = rows_of(opened, s3=dict).collect().height
    except InputError as error:
        said[path.name] = str(error)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    said[path.name] = [said[path.name], grown]
print(json.dumps(said))
"""


def _list(
    more: str = "", *, before: str = "", strings: tuple[str, ...] = (), parts: dict[str, str] | None = None
) -> bytes:
    return package({"S": sheet_xml(rows_xml(PEOPLE) + more, before=before)}, strings=strings, parts=parts)


def _cell(place: str, row: int) -> str:
    return f'<row r="{row}"><c r="{place}"><v>1</v></c></row>'


def _in_sheet(rows: str) -> bytes:
    return package({"S": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'})


def _claiming(data: bytes, size: int) -> bytes:
    """A workbook whose directory says that its first sheet unpacks to this size."""
    name = b"xl/worksheets/s1.xml"
    entry = data.rindex(name) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    return data[: entry + 24] + size.to_bytes(4, "little") + data[entry + 28 :]


def _with_parts(data: bytes, parts: int) -> bytes:
    end = data.rindex(b"PK\x05\x06")
    return data[: end + 8] + parts.to_bytes(2, "little") * 2 + data[end + 12 :]


ENTITIES: Final = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "aaaaaaaaaa"}">' for n in range(10))
SHARED: Final = '<row r="{0}"><c r="A{0}" t="s"><v>0</v></c></row>'

BOMBS: Final[dict[str, tuple[Callable[[], bytes], str | int]]] = {
    "last corner": (
        lambda: _list(_cell("XFD1048576", 1_048_576)),
        "the cell XFD1048576 .* is 1,048,573 blank rows below",
    ),
    "bottom": (
        lambda: _list(_cell("A1048576", 1_048_576)),
        "the cell A1048576 of its sheet 'S' is 1,048,573 blank",
    ),
    "far right": (lambda: _list(_cell("XFD3", 3)), 1),
    "wide header": (
        lambda: package(
            {"S": sheet_xml(f'<row r="1">{text_cell("A1", "phone")}{text_cell("XFD1", "x")}</row>' + row_xml(2, ["1"]))}
        ),
        1,
    ),
    "dimension": (lambda: _list(before='<dimension ref="A1:XFD1048576"/>'), 1),
    "formatted blanks": (
        lambda: _list("".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(3, 8_000))),
        1,
    ),
    "blank formulas": (
        lambda: _list("".join(f'<row r="{n}"><c r="A{n}" t="str"><f>X</f><v></v></c></row>' for n in range(3, 8_000))),
        1,
    ),
    "one string for all": (
        lambda: _list("".join(SHARED.format(n) for n in range(3, 8_000)), strings=("1" * 100_000,)),
        "texts are too long for a list",
    ),
    "strings that nobody needs": (lambda: _list(SHARED.format(3), strings=("1", *("x" * 10_000,) * 500)), 2),
    "a string of four MiB": (lambda: _list(SHARED.format(3), strings=("x" * 4 * MIB,)), "texts are too long"),
    "a cell of four MiB": (lambda: _list(row_xml(3, ["x" * 4 * MIB])), "the cell A3 holds more than"),
    "an attribute of four MiB": (lambda: _list(f'<row r="3" x="{"x" * 4 * MIB}"/>'), DAMAGED),
    "a comment of four MiB": (lambda: _list(f"<!--{'x' * 4 * MIB}-->"), DAMAGED),
    "depth": (lambda: _list("<a>" * 1_000_000), DAMAGED),
    "names": (lambda: _list("".join(f"<a{n}/>" for n in range(100_000))), DAMAGED),
    "entities": (
        lambda: package(
            {"S": f"<!DOCTYPE x [{ENTITIES}]>" + sheet_xml(f'<row r="1">{text_cell("A1", "phone")}</row>&e9;')}
        ),
        DAMAGED,
    ),
    "says it is large": (lambda: _claiming(_list(), 0xFFFF_FFFE), "unpacks to more than 2 GiB"),
    "says it is small": (lambda: _claiming(_list("<!-- -->" * 100_000), 400), DAMAGED),
    "says it has many parts": (lambda: _with_parts(_list(), 60_000), "a zip archive of more than 20,000 parts"),
    "sheets without end": (
        lambda: zipped(
            {
                "[Content_Types].xml": "",
                "xl/workbook.xml": f'<workbook xmlns="{MAIN}">{"<sheet/>" * 200_000}</workbook>',
            }
        ),
        DAMAGED,
    ),
    "columns without end": (lambda: _list(before='<col hidden="1"/>' * 100_000), DAMAGED),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str | int, int]]:
    """What a process with little memory says of each bomb, and how many MiB it had grown by then."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, (build, _) in BOMBS.items():
        (folder / name).write_bytes(build())
    child = subprocess.run([sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, check=True)
    return json.loads(child.stdout)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(name: str, outcomes: dict[str, tuple[str | int, int]]) -> None:
    """It is refused with the reason, or the list in it is read; the memory stays flat."""
    expected = BOMBS[name][1]
    said, grown = outcomes[name]
    if isinstance(expected, int):
        assert said == expected
    else:
        assert re.search(expected, str(said)), said
    assert grown < 200
