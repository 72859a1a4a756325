"""The message ids of a send record, as they are stored: a JSON list by position, null for numbers without one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Self

import orjson
import polars as pl


class MessageIds(Mapping[int, str]):
    """Message ids by position. The JSON is read when an id is asked for: the results read millions, in columns."""

    def __init__(self, stored: str) -> None:
        """Keep the JSON, without a space between its values."""
        self.stored = stored

    @classmethod
    def of(cls, ids: Mapping[int, str]) -> Self:
        """Return ids as they are stored."""
        listed = [ids.get(position) for position in range(max(ids, default=-1) + 1)]
        return cls(orjson.dumps(listed).decode())

    @cached_property
    def _ids(self) -> dict[int, str]:
        return {position: value for position, value in enumerate(json.loads(self.stored)) if value is not None}

    def __getitem__(self, position: int) -> str:
        """Return the id of a position."""
        return self._ids[position]

    def __iter__(self) -> Iterator[int]:
        """Yield the positions that have an id."""
        return iter(self._ids)

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self._ids)


def id_lists(stored: Sequence[str]) -> pl.Series:
    """Read `MessageIds.stored` of many chunks as lists of ids (null where a number has none)."""
    texts = pl.Series("ids", stored, dtype=pl.String)
    is_odd = texts.str.contains(r"\\|null|^\[\]$")  # an escape, perhaps a position without an id, or none at all
    plain = texts.str.strip_prefix('["').str.strip_suffix('"]').str.split('","')
    if not is_odd.any():
        return plain
    return texts.str.json_decode(pl.List(pl.String)).zip_with(is_odd, plain)
