"""Which positions of a campaign's chunks may have been texted lately, by its ledger.

A claim without a send record counts as texted: its run may have been killed after the call. What a record proves was
refused, or never presented, doesn't.
"""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.campaign.ledger import Claim, SendRecord, keys_of_records, read_entry
from globe_sms.tasks.campaign.settlement import MEANINGS
from globe_sms.tasks.repeats.earlier_campaigns import EarlierCampaign
from globe_sms.tasks.vocabulary.statuses import Status

_READERS: Final = 16
_MAY_HAVE_TEXTED: Final = frozenset(
    settlement for settlement, means in MEANINGS.items() if means.status in (Status.ACCEPTED, Status.UNKNOWN)
)


@dataclass(frozen=True, slots=True)
class TextedPositions:
    """The positions of a chunk that may have been texted: all or none, but for those that are named."""

    others: bool
    named: Mapping[int, bool]


class ClaimedChunks:
    """The chunks of an earlier campaign that have a claim. Their claims and records are read when they are asked for.

    Raises:
        StoreError: the store didn't answer, or refused.
    """

    def __init__(self, campaign: EarlierCampaign, since: float) -> None:
        self._campaign = campaign
        self._since = since
        self._keys = keys_of_records(campaign.store)

    @property
    def indexes(self) -> Collection[int]:
        """Their numbers."""
        return self._keys.keys()

    def texted(self, chunks: Iterable[int]) -> Mapping[int, TextedPositions]:
        """Read which positions of these chunks may have been texted since then, 16 objects at a time."""
        wanted = list(chunks)
        with ThreadPoolExecutor(_READERS, thread_name_prefix="repeats") as pool:
            return dict(zip(wanted, pool.map(self._texted, wanted), strict=True))

    def _texted(self, chunk: int) -> TextedPositions:
        presented = [
            read_entry(self._campaign.store, chunk, submission, key) for submission, key in self._keys[chunk].items()
        ]
        lately = [entry for entry in presented if entry is not None and self._may_have_texted(entry)]
        named = {position for entry in lately if isinstance(entry, SendRecord) for position in entry.failed}
        return TextedPositions(
            others=bool(lately),
            named={position: any(_reaches(entry, position) for entry in lately) for position in named},
        )

    def _may_have_texted(self, entry: Claim | SendRecord) -> bool:
        if isinstance(entry, Claim):
            return entry.claimed_at >= self._since
        return entry.settlement in _MAY_HAVE_TEXTED and (entry.sent_at is None or entry.sent_at >= self._since)


def _reaches(entry: Claim | SendRecord, position: int) -> bool:
    """Whether a presentation may have texted this position."""
    return isinstance(entry, Claim) or position not in entry.failed
