"""How a tracking ended, in figures: what `globe-sms track` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from globe_sms.tasks.delivery.mismatched_ids import OtherNumbers
from globe_sms.tasks.delivery.reconcile import Reconciled
from globe_sms.tasks.reports.delivery_report import DeliveryReport
from globe_sms.tasks.retention.purge import Purge
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import Delivery, Status

_LEFT_ALONE: Final = (
    "The campaign is being sent, so its results were left unchanged. New delivery states are kept and written into the "
    "results when sending ends."
)


@dataclass(frozen=True, slots=True)
class TrackingOutcome:
    """What is known about a campaign's messages; `counts` are rows by status, `deliveries` rows by delivery.

    `stopped` says why the tracking ended early and what to do, None if it didn't; `cancelled` that somebody cancelled
    it. `settled` is what receipts had proved when the tracking began. `other_numbers` are rows whose message id came
    back with a different number. `rewritten` is False if the results were left unchanged, because the campaign is
    being sent. `purged` is what the policy had erased; None if it keeps everything;
    `least_delivered` is the share that it wants delivered.
    """

    campaign: str
    uri: str
    counts: Mapping[str, int]
    deliveries: Mapping[str, int]
    settled: Reconciled
    queries: int
    learned: int
    seconds: float
    stopped: str | None = None
    cancelled: bool = False
    rewritten: bool = True
    report: DeliveryReport | None = None
    other_numbers: OtherNumbers | None = None
    purged: Purge | None = None
    least_delivered: float | None = None

    @property
    def pending(self) -> int:
        """How many accepted rows have no final state."""
        return self.deliveries.get(Delivery.PENDING, 0)

    @property
    def unknown(self) -> int:
        """How many rows may or may not have been accepted."""
        return self.counts.get(Status.UNKNOWN, 0)

    @property
    def rate(self) -> float | None:
        """The share of messages with a final state that were delivered (0 to 1); None without any."""
        final = sum(self.deliveries.values()) - self.pending
        return self.deliveries.get(Delivery.DELIVERED, 0) / final if final else None

    @property
    def is_low(self) -> bool:
        """Whether fewer messages were delivered than the policy wants."""
        return self.least_delivered is not None and self.rate is not None and self.rate < self.least_delivered

    @property
    def final(self) -> bool:
        """Whether every message has a final state and no row is unknown."""
        return self.rewritten and not self.pending and not self.unknown

    def summary(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "campaign": self.campaign,
            "results": self.uri,
            "deliveries": dict(self.deliveries),
            "counts": dict(self.counts),
            "open": self.pending,
            "unknown": self.unknown,
            "settled_by_receipt": self.settled.settled,
            "other_numbers": 0 if self.other_numbers is None else self.other_numbers.rows,
            "settling": self.settled.as_json(),
            "queries": self.queries,
            "seconds": round(self.seconds, 1),
        }

    def sentences(self) -> list[str]:
        """Return everything people should know, one sentence per line."""
        left_alone = None if self.rewritten else _LEFT_ALONE
        others = None if self.other_numbers is None else self.other_numbers.sentence()
        purged = self.purged.sentences() if self.purged is not None and self.purged.campaigns else []
        said = (self.stopped, *self.settled.sentences(), others, self.sentence(), left_alone, *purged)
        return [line for line in said if line is not None]

    def sentence(self) -> str:
        """Return the figures in one sentence."""
        known = ", ".join(f"{count:,} {name}" for name, count in self.deliveries.items() if count)
        unknown = f", {counted(self.unknown, 'row')} unknown" if self.unknown else ""
        queries = "1 query" if self.queries == 1 else f"{self.queries:,} queries"
        return (
            f"{known or 'no accepted messages'}{unknown}; {counted(self.learned, 'new final state')} from {queries} in "
            f"{in_words(self.seconds)}."
        )
