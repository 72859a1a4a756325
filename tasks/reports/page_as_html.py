"""Shows a page as HTML, for notebooks. All text is escaped, so none of it is read as markup."""

import html
from typing import assert_never

from globe_sms.tasks.reports.page_blocks import Block, Link, Notes, Page, Quote, Table, Words


def as_html(page: Page) -> str:
    """Return the page as a fragment of HTML, without scripts or references to other places."""
    return "".join(["<div>", f"<h3>{html.escape(page.title)}</h3>", *(_html(block) for block in page.blocks), "</div>"])


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
        case Link(text, at, place):
            return f'<p><a href="{html.escape(at)}">{html.escape(text)}</a> {html.escape(place)}</p>'
        case _:
            assert_never(block)


def _cells(row: tuple[str, ...], numeric: frozenset[int]) -> str:
    return "".join(
        f'<td style="text-align: {"right" if place in numeric else "left"}">{html.escape(cell)}</td>'
        for place, cell in enumerate(row)
    )
