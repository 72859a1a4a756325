"""The TaskId of a call: `<campaign>-<chunk>-<submission and try>`; a delivery receipt brings it back."""

from typing import Final

import polars as pl

_TRIES_OF_A_SUBMISSION: Final = 100


def task_id(campaign: str, chunk: int, submission: int, tries: int) -> str:
    """Name one call: the `tries`-th (from 1) of a chunk's submission (from 0)."""
    return f"{campaign}-{chunk}-{submission * _TRIES_OF_A_SUBMISSION + tries}"


def chunk_of_task(campaign: str) -> pl.Expr:
    """Return the chunk (UInt32) that the column `task_id` names for this campaign; null for others' ids.

    A campaign's id has letters, digits, dashes and underscores only, so it stands for itself in a pattern.
    """
    return pl.col("task_id").str.extract(rf"^{campaign}-(\d+)-\d+$").cast(pl.UInt32, strict=False)


def submission_of_task(campaign: str) -> pl.Expr:
    """Return the submission (UInt32) that the column `task_id` names for this campaign; null for others' ids."""
    number = pl.col("task_id").str.extract(rf"^{campaign}-\d+-(\d+)$").cast(pl.UInt32, strict=False)
    return number // _TRIES_OF_A_SUBMISSION


def is_task_of(campaign: str, text: object) -> bool:
    """Whether a text is a TaskId of this campaign."""
    if not isinstance(text, str) or not text.startswith(f"{campaign}-"):
        return False
    chunk, dash, tries = text.removeprefix(f"{campaign}-").partition("-")
    return bool(dash) and all(part.isascii() and part.isdigit() for part in (chunk, tries))
