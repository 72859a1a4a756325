"""Show a page, such as the preview, in a terminal."""

from typing import assert_never

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from globe_sms.tasks.reports.page_blocks import Block, Link, Notes, Page, Quote, Table, Words


def page_for_terminal(page: Page) -> RenderableType:
    """Return the page for rich. Its text is never read as rich's markup."""
    return Group(Text(page.title, style="bold underline"), *(_shown(block) for block in page.blocks), Text())


def _shown(block: Block) -> RenderableType:
    match block:
        case Words(text, strong):
            return Padding(Text(text, style="bold" if strong else ""), (1, 0, 0, 0))
        case Quote(heading, text):
            return Padding(Panel(Text(text), title=Text(heading), title_align="left", expand=False), (1, 0, 0, 0))
        case Notes():
            return Padding(_notes(block), (1, 0, 0, 0))
        case Table():
            return Padding(_table(block), (1, 0, 0, 0))
        case Link(text, at, place):
            return Padding(Text(f"{text}: {place or at}"), (1, 0, 0, 0))
        case _:
            assert_never(block)


def _notes(block: Notes) -> RichTable:
    table = RichTable.grid(padding=(0, 2, 0, 0))
    table.title, table.title_justify = Text(block.heading, style="italic"), "left"
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    for term, said in block.entries:
        table.add_row(Text(term, style="bold"), Text(said))
    return table


def _table(block: Table) -> RichTable:
    table = RichTable(title=Text(block.heading), title_justify="left", show_edge=False, pad_edge=False)
    for place, column in enumerate(block.columns):
        table.add_column(column, justify="right" if place in block.numeric else "left", overflow="fold")
    for row in block.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
