"""A page as markdown (Prefect's artifacts) and as HTML (notebooks). Nothing of a page's text is taken for markup."""

import html
import re
from collections.abc import Iterable
from typing import assert_never

from globe_sms.tasks.reports.page import Block, Notes, Page, Quote, Table, Words

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$-])")
_FENCE = re.compile(r"`{3,}")


def as_markdown(page: Page) -> str:
    """Return the page as GitHub-flavoured markdown."""
    return "\n\n".join([f"# {_escaped(page.title)}", *(_markdown(block) for block in page.blocks)]) + "\n"


def as_html(page: Page) -> str:
    """Return the page as a fragment of HTML without scripts or outside references."""
    return "".join(["<div>", f"<h3>{html.escape(page.title)}</h3>", *(_html(block) for block in page.blocks), "</div>"])


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
        case _:
            assert_never(block)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Escape what markdown would read as markup; a line break in a cell or paragraph becomes a visible arrow."""
    return _SPECIAL.sub(r"\\\1", text.replace("\r\n", "\n").replace("\n", " ↵ "))


def _html(block: Block) -> str:
    match block:
        case Words(text, strong):
            said = html.escape(text)
            return f"<p><strong>{said}</strong></p>" if strong else f"<p>{said}</p>"
        case Table():
            head = "".join(f"<th>{html.escape(column)}</th>" for column in block.columns)
            body = "".join(f"<tr>{_cells(row, block.numeric)}</tr>" for row in block.rows)
            return (
                f"<h4>{html.escape(block.heading)}</h4>"
                f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            )
        case Quote(heading, text):
            return f"<h4>{html.escape(heading)}</h4><pre>{html.escape(text)}</pre>"
        case Notes(heading, entries):
            lines = "".join(
                f"<li><strong>{html.escape(term)}</strong> {html.escape(said)}</li>" for term, said in entries
            )
            return f"<h4>{html.escape(heading)}</h4><ul>{lines}</ul>"
        case _:
            assert_never(block)


def _cells(row: tuple[str, ...], numeric: frozenset[int]) -> str:
    return "".join(
        f'<td style="text-align: {"right" if place in numeric else "left"}">{html.escape(cell)}</td>'
        for place, cell in enumerate(row)
    )
