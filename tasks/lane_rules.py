"""Which lane a row belongs to: by its country, where countries have senders of their own."""

import polars as pl

from tasks.lanes import Lane, Lanes
from tasks.senders import Senders


def lanes_of(senders: Senders) -> Lanes | None:
    """Return the lanes of a campaign; None where all its rows may share calls."""
    if not senders.by_region:
        return None
    names = tuple(dict.fromkeys([senders.usual, *senders.by_region.values()]))
    places = {region: names.index(sender) for region, sender in senders.by_region.items()}

    def sort(rows: pl.DataFrame) -> pl.Series:
        # Numbers of other countries, and of none, have the usual sender, which comes first.
        place = pl.col("region").replace_strict(places, default=0, return_dtype=pl.UInt32).fill_null(0)
        return rows.select(place).to_series()

    return Lanes(tuple(Lane(name) for name in names), sort)
