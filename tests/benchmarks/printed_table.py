"""The tables that the measurements print."""

import os
import platform

from rich.console import Console
from rich.table import Table

_WIDTH = 120


def say(what: str) -> None:
    """Say on stderr what is being measured."""
    Console(stderr=True, width=_WIDTH).print(what, highlight=False, markup=False, soft_wrap=True)


def print_table(title: str, columns: list[str], rows: list[list[str]], notes: str = "") -> None:
    """Print rows under their columns, the first column to the left, figures to the right."""
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}"
    caption = f"{notes}\n{machine}" if notes else machine
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=_WIDTH).print(table, highlight=False, markup=False)
