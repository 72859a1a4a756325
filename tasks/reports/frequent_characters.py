"""The characters that most texts have, for the preview."""

from typing import Final

import polars as pl

MOST_CHARACTERS: Final = 10


def frequent_characters(found: pl.LazyFrame) -> tuple[int, tuple[str, ...]]:
    """Return how many texts there are, and their characters: those in most texts first, `MOST_CHARACTERS` of them.

    `found` has a row for each text and one column, `character`: a list of the characters that count, each once.
    """
    texts, characters = pl.collect_all(
        [
            found.select(pl.len()),
            found.explode("character")
            .group_by("character")
            .len()
            .sort("len", "character", descending=[True, False])
            .head(MOST_CHARACTERS),
        ],
        engine="streaming",
    )
    return texts.item(), tuple(characters["character"])
