"""Draw tasks/house.svg from the sources and from tasks/README.md: `python -m tests.pictures.house`, or `make pictures`.

Floors are import levels. Rooms are folders, with the number of their modules and the first sentence of their docstring.
Arrows are imports between folders, without those that follow from other arrows. The numbers in a room are the steps of
a row's and a chunk's life in tasks/README.md whose first file is in that folder.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from tests.import_levels import LEVELS

ROOT: Final = Path(__file__).parents[2]
PICTURE: Final = ROOT / "tasks" / "house.svg"

# Where the middle of a room is, as a share of the floor's width. Folders of flows/ and deployments/ share a floor each.
_MIDDLES: Final = {
    "tasks": 0.56,
    "tasks/steps": 0.56,
    "tasks/runs": 0.56,
    "tasks/inquiry": 0.835,
    "tasks/policy": 0.30,
    "tasks/reports": 0.62,
    "tasks/sending": 0.375,
    "tasks/results": 0.63,
    "tasks/repeats": 0.885,
    "tasks/retention": 0.115,
    "tasks/planning": 0.42,
    "tasks/publishing": 0.76,
    "tasks/replies": 0.60,
    "tasks/delivery": 0.76,
    "tasks/campaign": 0.52,
    "tasks/messages": 0.76,
    "tasks/account": 0.165,
    "tasks/pacing": 0.50,
    "tasks/recipients": 0.835,
    "tasks/gateway": 0.165,
    "tasks/store": 0.50,
    "tasks/numbers": 0.835,
    "tasks/vocabulary": 0.50,
}
_SHARED_FLOORS: Final = ("flows", "deployments")
_STORIES: Final = (("The life of a row", "#1f6feb"), ("The life of a chunk", "#d9730d"))

_WIDTH, _LEFT, _FLOOR, _GAP, _TOP = 1_280, 150, 74, 28, 64
_ROOM = 340
_ROOTS: Final = {"tasks": "the root", "flows": "the flows", "deployments": "the root"}
_FLOOR_COLOURS: Final = {"deployments": "#eef0f4", "flows": "#e8eff9", "tasks": "#f4f1ea"}
_LETTERS: Final = 53  # in a line of a room of that width
_LINES: Final = 2
_INK, _PALE, _LINE = "#1f2328", "#57606a", "#8a8f98"


@dataclass(frozen=True, slots=True)
class Room:
    """A folder: what is drawn of it, and where. `steps` are colour and number of the steps that happen in it."""

    folder: str
    modules: int
    sentence: str
    steps: tuple[tuple[str, int], ...]
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def modules_of(folder: str) -> list[Path]:
    """The modules of a folder; those of a folder in it count as its own, unless that is a room too."""
    rooms = {ROOT / room for floor in LEVELS for room in floor} - {ROOT / folder}
    found = (path for path in (ROOT / folder).rglob("*.py") if path.name != "__init__.py")
    return sorted(path for path in found if not rooms & set(path.parents) - set((ROOT / folder).parents))


def imports_between_folders() -> set[tuple[str, str]]:
    """Pairs of folders, the first of which imports the second; only downwards."""
    level = {folder: at for at, floor in enumerate(LEVELS) for folder in floor}
    pairs: set[tuple[str, str]] = set()
    for folder, floor_of_it in level.items():
        for path in (*modules_of(folder), ROOT / folder / "__init__.py"):
            for module in _imported(ast.parse(path.read_text(encoding="utf-8"))):
                other = _folder_of(module, level)
                if other is not None and level[other] < floor_of_it:
                    pairs.add((folder, other))
    return pairs


def without_what_follows(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Drop each pair that a way over other pairs leads to as well."""
    below: dict[str, set[str]] = {}
    for upper, lower in pairs:
        below.setdefault(upper, set()).add(lower)

    def reached(start: str) -> set[str]:
        return {end for lower in below.get(start, ()) for end in (lower, *reached(lower))}

    return {
        (upper, lower)
        for upper, lower in pairs
        if not any(lower in reached(other) for other in below[upper] if other != lower)
    }


def draw() -> str:
    """Return the picture as SVG."""
    floors = _floors()
    rooms = {room.folder: room for floor in floors for room in floor}
    height = _TOP + len(floors) * (_FLOOR + _GAP)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}"'
    font = 'font-family="Inter, Segoe UI, Helvetica, Arial, sans-serif"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        "<title>The house: folders as rooms, import levels as floors</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        f'<path d="M0,0 L8,4 L0,8 Z" fill="{_LINE}"/></marker></defs>',
        _box(0, 0, _WIDTH, height, "#ffffff"),
        *_legend(),
        *(part for floor in floors for part in _floor(floor)),
        *_arrows(rooms),
        *(part for floor in floors for room in floor for part in _room(room)),
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _folder_of(module: str, level: Mapping[str, int]) -> str | None:
    top, *names = module.split(".")
    if top != "globe_sms" or not names:
        return None
    path = ROOT.joinpath(*names)
    folder = path if path.is_dir() else path.parent if path.with_suffix(".py").is_file() else None
    while folder is not None and folder != ROOT:
        if folder.relative_to(ROOT).as_posix() in level:
            return folder.relative_to(ROOT).as_posix()
        folder = folder.parent
    return None


def _floors() -> list[list[Room]]:
    """The rooms of each floor, the highest first."""
    plan: list[tuple[str, ...]] = [floor for floor in LEVELS if floor[0].split("/")[0] == "tasks"]
    plan += [tuple(room for floor in LEVELS for room in floor if room.split("/")[0] == top) for top in _SHARED_FLOORS]
    steps = _steps()
    floors: list[list[Room]] = []
    for at, folders in enumerate(reversed(plan)):
        y = _TOP + at * (_FLOOR + _GAP)
        space = (_WIDTH - _LEFT - 20) / len(folders)
        shared = folders[0].split("/")[0] in _SHARED_FLOORS
        width = min(_ROOM, space - 16)
        floors.append(
            [
                Room(
                    folder,
                    len(modules_of(folder)),
                    _sentence(folder),
                    tuple(steps.get(folder, ())),
                    (
                        _LEFT + nth * space + 8
                        if shared
                        else _LEFT + _MIDDLES[folder] * (_WIDTH - _LEFT - 20) - width / 2
                    ),
                    y,
                    space - 16 if shared else width,
                )
                for nth, folder in enumerate(folders)
            ]
        )
    return floors


def _sentence(folder: str) -> str:
    docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=\.)\s|\n\n", docstring)[0].replace("`", "").replace("\n", " ")


def _steps() -> dict[str, list[tuple[str, int]]]:
    """Read the steps of both lives from the page: the folder of the first file that a step names."""
    page = (ROOT / "tasks" / "README.md").read_text(encoding="utf-8")
    found: dict[str, list[tuple[str, int]]] = {}
    for title, colour in _STORIES:
        section = page.split(f"## {title}\n")[1].split("\n## ")[0]
        for number, text in re.findall(r"^(\d+)\. (.*(?:\n   .*)*)", section, re.MULTILINE):
            first = re.search(r"`(\w+)/\w+\.py`", text)
            if first is not None:
                found.setdefault(f"tasks/{first[1]}", []).append((colour, int(number)))
    return found


def _text(x: float, y: float, words: str, style: str = f'font-size="12" fill="{_PALE}"') -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words, quote=False)}</text>'


def _box(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="8" fill="{fill}"{more}/>'


def _badge(x: float, y: float, colour: str, number: int) -> list[str]:
    style = 'font-size="11" font-weight="700" fill="#ffffff" text-anchor="middle"'
    return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{colour}"/>', _text(x, y + 4, str(number), style)]


def _legend() -> list[str]:
    parts = [
        _text(24, 38, "globe_sms", f'font-size="19" font-weight="700" fill="{_INK}"'),
        _text(_LEFT, 38, "Imports go down only. In a room: the folder, how many modules it has, what it is about."),
    ]
    for at, (title, colour) in enumerate(_STORIES):
        x = _WIDTH - 330 + 155 * at
        parts += [*_badge(x, 33, colour, 1), _text(x + 15, 38, title.lower())]
    return parts


def _floor(rooms: list[Room]) -> list[str]:
    top, *_ = rooms[0].folder.split("/")
    y = rooms[0].y
    parts = [_box(12, y - 7, _WIDTH - 24, _FLOOR + 14, _FLOOR_COLOURS[top])]
    if top in _SHARED_FLOORS or rooms[0].folder == top:
        parts.append(_text(28, y + _FLOOR / 2 + 5, f"{top}/", f'font-size="14" font-weight="600" fill="{_PALE}"'))
    return parts


def _room(room: Room) -> list[str]:
    top, _, inside = room.folder.partition("/")
    name = f"{inside}/" if inside else f"{top}/ ({_ROOTS[top]})"
    x, y = room.x, room.y
    parts = [
        _box(x, y, room.width, _FLOOR, "#ffffff", ' stroke="#c4c9d1" stroke-width="1.2"'),
        _text(x + 12, y + 24, name, f'font-size="15" font-weight="700" fill="{_INK}"'),
    ]
    right = x + room.width - 18
    for colour, number in reversed(room.steps):
        parts += _badge(right, y + 19, colour, number)
        right -= 22
    parts.append(_text(right + 8, y + 23, str(room.modules), f'font-size="12" fill="{_PALE}" text-anchor="end"'))
    lines = _wrapped(room.sentence, int(_LETTERS * room.width / _ROOM))
    return [*parts, *(_text(x + 12, y + 44 + 17 * at, line) for at, line in enumerate(lines))]


def _wrapped(sentence: str, letters: int) -> list[str]:
    lines = [""]
    for word in sentence.split():
        if lines[-1] and len(lines[-1]) + len(word) >= letters:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], f"{lines[_LINES - 1].rstrip('.,:;')} …"]
    return lines


def _arrows(rooms: Mapping[str, Room]) -> list[str]:
    imports = imports_between_folders()
    pairs = without_what_follows(imports)
    shown = sorted(
        (upper, lower)
        for upper, lower in pairs
        if rooms[upper].y < rooms[lower].y and not upper.startswith("deployments")
    )
    if ("deployments", "flows/command_line") in imports:
        shown.append(("deployments", "flows/command_line"))
    starts = {
        room: sorted((lower for upper, lower in shown if upper == room), key=lambda each: rooms[each].middle)
        for room in rooms
    }
    ends = {
        room: sorted((upper for upper, lower in shown if lower == room), key=lambda each: rooms[each].middle)
        for room in rooms
    }
    return [_arrow(rooms[upper], rooms[lower], starts[upper], ends[lower]) for upper, lower in shown]


def _arrow(upper: Room, lower: Room, starts: list[str], ends: list[str]) -> str:
    x1 = upper.x + upper.width * (starts.index(lower.folder) + 1) / (len(starts) + 1)
    x2 = lower.x + lower.width * (ends.index(upper.folder) + 1) / (len(ends) + 1)
    y1, y2 = upper.y + _FLOOR, lower.y - 2
    bend = max(14.0, (y2 - y1) * 0.45)
    return (
        f'<path d="M{x1:.1f},{y1:g} C{x1:.1f},{y1 + bend:.1f} {x2:.1f},{y2 - bend:.1f} {x2:.1f},{y2:g}" fill="none" '
        'stroke="#8a8f98" stroke-width="1.4" marker-end="url(#tip)"/>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}\n")
