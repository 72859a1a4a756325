"""Settles unknown rows by receipts that don't name the call: where number, time and text leave no doubt.

A receipt without a TaskId says which number got a message, when it left and in how many parts. It settles an unknown
row of that number if all of this holds; otherwise it is reported, and the row stays unknown:

- just one presentation of the row's call may have been accepted, and the message left within four hours after it, the
  longest that Alibaba keeps a text before it hands it to the carrier (`ValidityPeriod`);
- the message has as many parts as the row's text, if the receipt says so;
- no other receipt fits the row;
- no other campaign of the results folder may have sent the message: it has the message id, or texted the number at the
  time and its own message isn't known.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.ledger import LedgerEntry, entries_of
from globe_sms.tasks.campaign.settlement import MEANINGS
from globe_sms.tasks.campaign.task_ids import task_id
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import Status

LONGEST_ON_ITS_WAY: Final = timedelta(hours=4)
_CLOCKS: Final = timedelta(minutes=2)  # how far the clocks of this machine, the gateway and a carrier may differ

OPEN_ROWS: Final = pl.Schema({"phone_number": pl.String(), "chunk": pl.UInt32(), "segments": pl.UInt16()})
"""The rows of a campaign that such receipts may settle."""

OTHERS: Final = pl.Schema(
    {
        "phone_number": pl.String(),
        "message_id": pl.String(),
        "sent_at": pl.Datetime("us", "UTC"),
        "campaign": pl.String(),
    }
)
"""What other campaigns presented; `message_id` and `sent_at` are null where they aren't known."""

# Returns (`OTHERS`) what other campaigns presented to these numbers (phone_number), or got these message ids for
# (message_id), since a time.
FindOthers = Callable[[pl.DataFrame, datetime], pl.DataFrame]


def no_others(_candidates: pl.DataFrame, _since: datetime) -> pl.DataFrame:
    """Return nothing, for a campaign that is alone in its results folder."""
    return pl.DataFrame(schema=OTHERS)


@dataclass(frozen=True, slots=True)
class WithoutTask:
    """What receipts without a TaskId prove.

    Attributes:
        states: those that settle a row (`STATE_SCHEMA`), with the TaskId of its call.
        doubts: by message id, why others settle nothing.
        may_change: the message ids whose doubt another campaign's results may remove.
    """

    states: pl.DataFrame
    doubts: Mapping[str, str] = field(default_factory=dict[str, str])
    may_change: frozenset[str] = frozenset()


def settle_without_task(
    candidates: pl.DataFrame, open_rows: pl.DataFrame, *, store: Store, campaign: str, find_others: FindOthers
) -> WithoutTask:
    """Find the receipts that settle a row without doubt.

    Args:
        candidates: receipts of the rows' numbers (`STATE_SCHEMA`), each message once, none with a TaskId.
        open_rows: the campaign's unknown rows (`OPEN_ROWS`).
        store: the campaign's folder.
        campaign: its id.
        find_others: finds what other campaigns presented.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    rows = candidates.join(open_rows, on="phone_number").sort("phone_number", "message_id")
    entries = {int(chunk): _may_be_accepted(store, int(chunk)) for chunk in rows["chunk"].unique()}
    doubts: dict[str, str] = {}
    fitting: list[_Fit] = []
    for row in rows.iter_rows(named=True):
        found = [entry for entry in entries[row["chunk"]] if _left_after(row["submitted_at"], entry.claim.claimed_at)]
        if not found:
            doubts[row["message_id"]] = "it left at another time than the row's call"
        elif None not in (row["parts"], row["segments"]) and row["parts"] != row["segments"]:
            doubts[row["message_id"]] = "its text has another number of parts"
        else:
            fitting.append(_Fit(row, found))
    try:
        others = find_others(rows.select("phone_number", "message_id"), _since(fitting)) if fitting else None
    except InputError as error:
        unclear = {each.row["message_id"]: f"another campaign can't be read: {error}" for each in fitting}
        return WithoutTask(pl.DataFrame(schema=STATE_SCHEMA), doubts | unclear, frozenset(unclear))
    ours, unclear = _only_ours(fitting, others)
    settled = [
        {name: each.row[name] for name in STATE_SCHEMA}
        | {"task_id": task_id(campaign, each.row["chunk"], each.entries[0].claim.submission, 1)}
        for each in ours
    ]
    states = pl.DataFrame(settled, schema=STATE_SCHEMA, orient="row")
    return WithoutTask(states, doubts | unclear, frozenset(unclear))


@dataclass(frozen=True, slots=True)
class _Fit:
    """A receipt with its row, and the presentations of the row's call that it may come from."""

    row: Mapping[str, Any]
    entries: Sequence[LedgerEntry]


def _may_be_accepted(store: Store, chunk: int) -> list[LedgerEntry]:
    possible = (Status.ACCEPTED, Status.UNKNOWN)
    return [
        entry
        for entry in entries_of(store, chunk)
        if entry.record is None or MEANINGS[entry.record.settlement].status in possible
    ]


def _left_after(left: datetime | None, claimed_at: float) -> bool:
    """Whether a message that left then may come from a call that was claimed then."""
    claimed = datetime.fromtimestamp(claimed_at, UTC)
    return left is not None and claimed - _CLOCKS <= left <= claimed + LONGEST_ON_ITS_WAY + _CLOCKS


def _since(fitting: Sequence[_Fit]) -> datetime:
    return min(each.row["submitted_at"] for each in fitting) - LONGEST_ON_ITS_WAY - _CLOCKS


def _only_ours(fitting: Sequence[_Fit], others: pl.DataFrame | None) -> tuple[list[_Fit], dict[str, str]]:
    """Return the receipts that nothing else explains, and by message id why others are doubtful."""
    if others is None:
        return [], {}
    taken = set(others["message_id"].drop_nulls())
    texted: dict[str, list[tuple[datetime | None, str]]] = {}
    for number, message_id, sent_at, name in others.select(OTHERS.names()).iter_rows():
        if message_id is None:
            texted.setdefault(number, []).append((sent_at, name))
    left = [each for each in fitting if each.row["message_id"] not in taken]
    of_number = Counter(each.row["phone_number"] for each in left)
    ours: list[_Fit] = []
    doubts: dict[str, str] = {}
    for each in left:
        number, submitted = each.row["phone_number"], each.row["submitted_at"]
        rivals = [
            name
            for sent_at, name in texted.get(number, ())
            if sent_at is None or _left_after(submitted, sent_at.timestamp())
        ]
        if of_number[number] > 1 or len(each.entries) > 1:
            doubts[each.row["message_id"]] = "several messages or calls fit the row"
        elif rivals:
            doubts[each.row["message_id"]] = f"campaign {min(rivals)} may have sent it"
        else:
            ours.append(each)
    return ours, doubts
