"""Finds the column of the countries that national numbers are in."""

from collections.abc import Sequence
from typing import Final

from globe_sms.tasks.recipients.column_names import is_region_name
from globe_sms.tasks.recipients.column_samples import ColumnSample
from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.number_column import named_column, show
from globe_sms.tasks.recipients.read_options import ReadOptions

_MOST: Final = 0.8


def region_column(
    uri: str, names: Sequence[str], options: ReadOptions, *, number: int, samples: Sequence[ColumnSample]
) -> int | None:
    """Return the position of the column of countries: the one named, or one whose name and values say so.

    Raises:
        InputError: the named column is missing, or several columns may be it.
    """
    if options.region_column is not None:
        return named_column(uri, names, options.region_column)
    if not options.finds_region:
        return None
    found = [
        position
        for position, (name, sample) in enumerate(zip(names, samples, strict=False))
        if position != number and is_region_name(name) and sample.filled and sample.countries >= _MOST * sample.filled
    ]
    if len(found) > 1:
        fitting = show([names[position] for position in found])
        raise refusal(
            uri, f"several columns may hold the countries of the numbers ({fitting}): name one with --region-column"
        )
    return found[0] if found else None
