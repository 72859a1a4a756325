"""What happened to the accepted messages, in figures, counted from the results without holding them in memory."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

import polars as pl

from globe_sms.tasks.reports.percentages import percent
from globe_sms.tasks.vocabulary.statuses import DELIVERIES, Delivery, Status

_SETTLED_BY: Final = "receipt"
_SECONDS: Final = "seconds"
_HOUR: Final = "hour"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How many messages were delivered, and how many were not."""

    delivered: int = 0
    undelivered: int = 0
    expired: int = 0
    pending: int = 0

    @property
    def messages(self) -> int:
        """How many messages there are."""
        return self.final + self.pending

    @property
    def final(self) -> int:
        """How many have a final state."""
        return self.delivered + self.undelivered + self.expired

    @property
    def rate(self) -> float | None:
        """The share of messages with a final state that were delivered (0 to 1); None without any."""
        return self.delivered / self.final if self.final else None

    def __add__(self, other: "Deliveries") -> "Deliveries":
        """Add the counts, state by state."""
        return Deliveries(
            self.delivered + other.delivered,
            self.undelivered + other.undelivered,
            self.expired + other.expired,
            self.pending + other.pending,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the counts and the rate, rounded to 4 decimals."""
        return {
            **{name: getattr(self, name) for name in DELIVERIES},
            "rate": None if self.rate is None else round(self.rate, 4),
        }


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How many messages ended with a code; None if the receipt had none."""

    delivery: Delivery
    code: str | None
    messages: int


@dataclass(frozen=True, slots=True)
class Durations:
    """Whole seconds from sending to delivery, in order, each with how many messages took that long."""

    seconds: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many messages have a known duration."""
        return sum(self.messages)

    def within(self, share: float) -> int | None:
        """Return the seconds within which this share (above 0, at most 1) was delivered; None without messages."""
        if not self.seconds:
            return None
        return self.seconds[bisect_left([*accumulate(self.messages)], share * self.count)]

    def as_json(self) -> dict[str, int | None]:
        """Return the median, 90th and 99th percentiles in seconds."""
        return {"median": self.within(0.5), "p90": self.within(0.9), "p99": self.within(0.99)}


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """What happened to the accepted messages of a campaign.

    `countries` is by region (ISO 3166 alpha-2, None for numbers without one), the largest first; `carriers` by the name
    that QueryMessage gives, None where only receipts came; `hours` by the hour of sending, `variants` by name, both in
    order. `settled` counts the rows that a delivery receipt turned from unknown to accepted.
    """

    total: Deliveries
    countries: Mapping[str | None, Deliveries]
    carriers: Mapping[str | None, Deliveries]
    hours: Mapping[datetime, Deliveries]
    codes: tuple[CodeCount, ...]
    durations: Durations
    country_durations: Mapping[str | None, Durations]
    settled: int
    variants: Mapping[str, Deliveries] = field(default_factory=dict[str, Deliveries])

    @property
    def failures(self) -> tuple[CodeCount, ...]:
        """The codes of messages that were not delivered, the most frequent first."""
        return tuple(code for code in self.codes if code.delivery in {Delivery.UNDELIVERED, Delivery.EXPIRED})

    def sentence(self) -> str:
        """Return the figures in one line, for a state's message, a log or under a picture's title."""
        total = self.total
        pending = f"; {total.pending:,} not known yet" if total.pending else ""
        if total.rate is None:
            return f"nothing is known yet about {total.pending:,} messages" if total.pending else "no accepted messages"
        of = f"{total.delivered:,} of {total.final:,} messages with a final state"
        return f"{percent(total.rate)} delivered: {of}{pending}"


def count_deliveries(
    results: pl.LazyFrame, states: pl.LazyFrame | None = None, *, by_variant: bool = False
) -> DeliveryFigures:
    """Count the accepted rows of results (`RESULTS_SCHEMA`) by what happened to their messages.

    An accepted row about which nothing is known is pending. The carriers come from `states` (`STATE_SCHEMA`, each
    message once); without it there are none. `by_variant`: whether the campaign has variants. A delivery that seems
    earlier than its sending, because clocks differ, took 0 seconds.
    """
    rows = results.filter(pl.col("status").cast(pl.String) == Status.ACCEPTED).select(
        "region",
        *(["variant"] if by_variant else []),
        pl.col("delivery").cast(pl.String).fill_null(Delivery.PENDING.value),
        "delivery_code",
        "settled_by",
        pl.col("sent_at").dt.truncate("1h").alias(_HOUR),
        (pl.col("delivered_at") - pl.col("sent_at")).dt.total_seconds().clip(lower_bound=0).alias(_SECONDS),
    )
    delivered = rows.filter(pl.col("delivery") == Delivery.DELIVERED, pl.col(_SECONDS).is_not_null())
    queries = [
        _by(rows, "region"),
        _by(rows.filter(pl.col(_HOUR).is_not_null()), _HOUR),
        rows.filter(pl.col("delivery") != Delivery.PENDING).group_by("delivery", "delivery_code").len(),
        delivered.group_by("region", _SECONDS).len().sort(_SECONDS),
        rows.select((pl.col("settled_by") == _SETTLED_BY).sum()),
        *([_by(rows.filter(pl.col("variant").is_not_null()), "variant")] if by_variant else []),
    ]
    if states is not None:
        queries.append(_by(states, "carrier"))
    regions, hours, codes, durations, settled, *others = pl.collect_all(
        queries,
        engine="streaming",
        optimizations=pl.QueryOptFlags(comm_subplan_elim=False),  # it would keep the shared rows in memory
    )
    countries = _ranked(regions)
    return DeliveryFigures(
        total=sum(countries.values(), Deliveries()),
        countries=countries,
        carriers=_ranked(others[-1]) if states is not None else {},
        hours=dict(sorted(_counted(hours).items())),
        codes=tuple(
            CodeCount(Delivery(delivery), code, messages)
            for delivery, code, messages in codes.sort(
                pl.col("len"), "delivery", "delivery_code", descending=[True, False, False]
            ).iter_rows()
        ),
        durations=_durations(durations.group_by(_SECONDS).agg(pl.sum("len")).sort(_SECONDS).iter_rows()),
        country_durations={
            region: _durations(part.select(_SECONDS, "len").iter_rows())
            for (region,), part in durations.partition_by("region", as_dict=True, maintain_order=True).items()
        },
        settled=int(settled.item() or 0),
        variants=dict(sorted(_counted(others[0]).items())) if by_variant else {},
    )


def _by(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return rows.group_by(name, pl.col("delivery").cast(pl.String)).len()


def _counted(frame: pl.DataFrame) -> dict[Any, Deliveries]:
    counts: dict[Any, dict[str, int]] = {}
    for key, delivery, messages in frame.iter_rows():
        counts.setdefault(key, {})[delivery] = messages
    return {key: Deliveries(**found) for key, found in counts.items()}


def _ranked(frame: pl.DataFrame) -> dict[Any, Deliveries]:
    return dict(sorted(_counted(frame).items(), key=lambda entry: (-entry[1].messages, entry[0] or "")))


def _durations(rows: Iterable[Sequence[Any]]) -> Durations:
    pairs = [(int(seconds), int(messages)) for seconds, messages in rows]
    return Durations(tuple(seconds for seconds, _ in pairs), tuple(messages for _, messages in pairs))
