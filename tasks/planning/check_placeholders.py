"""Refuses texts with placeholders in another system's style, before anybody gets "Hi {name}"."""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from globe_sms.tasks.messages import foreign_placeholder, placeholder_patterns
from globe_sms.tasks.recipients import fault_in
from globe_sms.tasks.vocabulary.errors import InputError


def check_template(message: str, uri: str, columns: Collection[str], *, option: str = "--message") -> None:
    """Refuse the text of an option with a placeholder of another system that names a column of the list at `uri`.

    Raises:
        InputError: it says which, and what to write instead.
    """
    found = foreign_placeholder(message, columns)
    if found is not None:
        placeholder, column = found
        raise InputError(
            f"{option}: {placeholder} would go out as text, but {uri} has a column {column!r}. For the column's value "
            f"write {{{column}}}; to send it as text, add --literal-placeholders."
        )


def check_own_texts(plan: Path, columns: Collection[str]) -> None:
    """Refuse a plan if a row's own text still has a placeholder that names a column of the lists.

    Raises:
        InputError: it says which row, and what to do.
    """
    for pattern in placeholder_patterns(columns, braces=True):
        rows = pl.scan_parquet(plan, glob=False).filter(pl.col("message").str.contains(pattern))
        first = rows.select("source", "row", "message").head(1).collect(engine="streaming")
        for source, row, text in first.iter_rows():
            placeholder, column = foreign_placeholder(text, columns, braces=True) or ("a placeholder", "?")
            raise fault_in(
                source,
                row,
                f"has {placeholder} in its text, and the list has a column {column!r}: fill in the value, or add "
                "--literal-placeholders to send it as text",
            )
