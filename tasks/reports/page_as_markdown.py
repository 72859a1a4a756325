"""Shows a page as Markdown, for Prefect's artifacts. All text is escaped, so none of it is read as markup."""

import re
from collections.abc import Iterable
from typing import assert_never

from globe_sms.tasks.reports.page_blocks import Block, Link, Notes, Page, Quote, Table, Words

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$-])")
_FENCE = re.compile(r"`{3,}")


def as_markdown(page: Page) -> str:
    """Return the page as GitHub-flavoured Markdown; without a title it has no heading."""
    heading = [f"# {_escaped(page.title)}"] if page.title else []
    return "\n\n".join([*heading, *(_markdown(block) for block in page.blocks)]) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Words(text, strong):
            return f"**{_escaped(text)}**" if strong else _escaped(text)
        case Table():
            rules = ("---:" if place in block.numeric else "---" for place in range(len(block.columns)))
            lines = [block.columns, *block.rows]
            head, *body = (_row(_escaped(cell) for cell in line) for line in lines)
            return "\n".join([f"## {_escaped(block.heading)}", "", head, _row(rules), *body])
        case Quote(heading, text):
            fence = "`" * max(3, 1 + max((len(found) for found in _FENCE.findall(text)), default=0))
            return f"## {_escaped(heading)}\n\n{fence}text\n{text}\n{fence}"
        case Notes(heading, entries):
            lines = (f"- **{_escaped(term)}** {_escaped(said)}" for term, said in entries)
            return "\n".join([f"## {_escaped(heading)}", "", *lines])
        case Link(text, at, place):
            return f"[{_escaped(text)}](<{at}>)" + (f" {_escaped(place)}" if place else "")
        case _:
            assert_never(block)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Escape what Markdown would read as markup; a line break in a cell or paragraph becomes an arrow."""
    return _SPECIAL.sub(r"\\\1", text.replace("\r\n", "\n").replace("\n", " ↵ "))
