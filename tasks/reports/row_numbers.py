"""Rows as people count them: as a spreadsheet or an editor shows them, from 1, with the header.

The results, the plan and the ledger count from 0, the first row of data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from globe_sms.tasks.recipients import ListReading


@dataclass(frozen=True, slots=True)
class RowNumbers:
    """The number of each list's first row of data, by the list's URI; 1 for lists that aren't in it."""

    first: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of(cls, readings: Iterable[tuple[str, ListReading]]) -> Self:
        """Return the numbers for lists that were read so: their data begins below the header, if they have one."""
        return cls({uri: (reading.header_row or 0) + 1 for uri, reading in readings})

    def shown(self, source: str, row: int) -> int:
        """Return the number that people see for a row."""
        return self.first.get(source, 1) + row
