"""Looks for numbers in campaigns of which only hashes are left."""

from collections.abc import Iterable

import polars as pl

from globe_sms.tasks.campaign.number_hashes import existing_hashes
from globe_sms.tasks.policy.place_results import BegunCampaign
from globe_sms.tasks.store import Store


def with_hashes(numbers: pl.DataFrame, campaigns: Iterable[BegunCampaign], place: Store) -> pl.DataFrame:
    """Return what the rows of these campaigns may have for these numbers (e164): `key`, and `ours`, the number.

    That is the number itself and, if one of the campaigns is erased, its hash.

    Raises:
        InputError: a campaign is erased, and the key of the hashes is gone.
        StoreError: the store didn't answer, or refused.
    """
    plain = numbers.select(key="e164", ours="e164")
    if all(each.document.erased_at is None for each in campaigns):
        return plain
    hashed = existing_hashes(place).of_integers(numbers["e164"])
    return pl.concat([plain, pl.DataFrame({"key": hashed, "ours": numbers["e164"]})])
