"""How far the tracking of a campaign's messages is."""

from dataclasses import dataclass, field

from globe_sms.tasks.vocabulary.statuses import DELIVERIES


@dataclass(slots=True)
class TrackingProgress:
    """The figures of a tracking; other threads read them while it runs.

    `learned` counts final states by delivery, `asked` the queries made, `silent` those without a clear answer,
    `given_up` the messages that this run no longer asks about.
    """

    open: int
    asked: int = 0
    throttled: int = 0
    silent: int = 0
    given_up: int = 0
    learned: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DELIVERIES[:-1], 0))
    stopped: str | None = None  # why it ended early and what to do

    @property
    def final(self) -> int:
        """How many messages have a final state."""
        return sum(self.learned.values())
