"""How a tracking ended: the figures, for people and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from globe_sms.tasks.delivery.other_numbers import OtherNumbers
from globe_sms.tasks.delivery.reconcile import Reconciled
from globe_sms.tasks.reports.delivery_report import DeliveryReport
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.statuses import Delivery, Status

_LEFT_ALONE: Final = (
    "The campaign is being sent: its results are left as they are, and what was learnt is written into them when the "
    "sending ends."
)


@dataclass(frozen=True, slots=True)
class TrackingOutcome:
    """What is known of a campaign's messages now; `counts` are rows by status, `deliveries` rows by delivery.

    `stopped` says why it ended early and what to do, None where it did not; `cancelled` that somebody ended it.
    `settled` says what receipts had settled when the tracking began.
    `other_numbers` are rows whose message id came back with another number.
    `rewritten` is False where the results were left as they are, because a run of the campaign is going on.
    """

    campaign: str
    uri: str
    counts: Mapping[str, int]
    deliveries: Mapping[str, int]
    settled: Reconciled
    queries: int
    learnt: int
    seconds: float
    stopped: str | None = None
    cancelled: bool = False
    rewritten: bool = True
    report: DeliveryReport | None = None
    other_numbers: OtherNumbers | None = None

    @property
    def pending(self) -> int:
        """Accepted rows of which nothing final is known."""
        return self.deliveries.get(Delivery.PENDING, 0)

    @property
    def unknown(self) -> int:
        """Rows of which it is not even known whether they were accepted."""
        return self.counts.get(Status.UNKNOWN, 0)

    @property
    def final(self) -> bool:
        """Whether there is nothing more to learn."""
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
        """Say all that a person should know, a line each."""
        left_alone = None if self.rewritten else _LEFT_ALONE
        others = None if self.other_numbers is None else self.other_numbers.sentence()
        said = (self.stopped, *self.settled.sentences(), others, self.sentence(), left_alone)
        return [line for line in said if line is not None]

    def sentence(self) -> str:
        """Say it in one sentence."""
        known = ", ".join(f"{count:,} {name}" for name, count in self.deliveries.items() if count)
        unknown = f", {self.unknown:,} rows unknown" if self.unknown else ""
        return (
            f"{known or 'no accepted messages'}{unknown}; {self.learnt:,} newly known by {self.queries:,} queries in "
            f"{in_words(self.seconds)}."
        )
