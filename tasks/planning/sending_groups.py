"""Which group a row belongs to: by its country, where countries have senders of their own, and by its time zones."""

import polars as pl

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.numbers.time_zones import ZoneTable
from globe_sms.tasks.planning.chunk_layout import SendingGroup, SendingGroups


def groups_of(senders: Senders, zones: ZoneTable | None = None) -> SendingGroups | None:
    """Return the groups of a campaign, with its zones where it has hours; None where all its rows may share calls."""
    if not senders.by_region and zones is None:
        return None
    names = tuple(dict.fromkeys([senders.usual, *senders.by_region.values()]))
    places = {region: names.index(sender) for region, sender in senders.by_region.items()}
    kinds = (None,) if zones is None else zones.kinds

    def sort(rows: pl.DataFrame) -> pl.Series:
        # Numbers of other countries, and of none, have the usual sender, which comes first.
        sender = pl.col("region").replace_strict(places, default=0, return_dtype=pl.UInt32).fill_null(0)
        group = rows.select(sender * len(kinds)).to_series()
        return group if zones is None else group + zones.look_up(rows)

    return SendingGroups(tuple(SendingGroup(name, kind) for name in names for kind in kinds), sort)
