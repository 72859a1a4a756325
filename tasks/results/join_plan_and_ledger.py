"""The results: the plan and the ledger, joined into one row for every input row."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from globe_sms.tasks.campaign.ledger import Claim, History, SendRecord
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY, RESULTS_SCHEMA
from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.left_out import status_of
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import PRESENTED, STATUSES, Status

_OF_DELIVERY = ("delivery", "delivery_code", "delivered_at", "settled_by")  # null here: see `tasks.delivery`
_CHUNK_SCHEMA = {
    "chunk": pl.UInt32(),
    "chunk_status": pl.Enum(STATUSES),
    "chunk_reason": pl.String(),
    "request_id": pl.String(),
    "response_code": pl.String(),
    "response_description": pl.String(),
    "attempts": pl.UInt8(),
    "sent_at": pl.Datetime("us", "UTC"),
    "doubtful": pl.Boolean(),
}
_POSITION_SCHEMA = {
    "chunk": pl.UInt32(),
    "position": pl.UInt16(),
    "message_id": pl.String(),
    "position_status": pl.Enum(STATUSES),
    "position_reason": pl.String(),
}
_PORTION_SCHEMA = {**_CHUNK_SCHEMA, "position": pl.UInt16()}
_OF_AN_ANSWER = ("request_id", "response_code", "response_description", "attempts", "sent_at")
_FATE_COLUMNS = ("chunk", "position", "position_status", "position_reason")
_MOST_ATTEMPTS = 255


@dataclass(frozen=True, slots=True)
class Answers:
    """What the ledger says, as three frames.

    `chunks` has a row for each chunk, `portions` one for each number of a chunk that was presented in parts: what was
    said of its part comes before what was said of the chunk. `positions` has one for each number that has its own fate.
    """

    chunks: pl.DataFrame
    positions: pl.DataFrame
    portions: pl.DataFrame


def gather(
    histories: Mapping[int, History],
    presentations: Iterable[Claim | SendRecord],
    *,
    unanswered: str = "interrupted",
    quiet: Iterable[int] = (),
) -> Answers:
    """Fold the ledger into frames.

    Args:
        histories: of the chunks.
        presentations: their last ones, as `Ledger.last_presentations` reads them. A claim without a record is unknown.
        unanswered: the reason of those.
        quiet: chunks whose hours had not come: those that were never claimed are not sent for that reason.
    """
    made = _Answers(unanswered)
    for index in quiet:
        made.chunks[index] = {
            "chunk": index, "chunk_status": Status.NOT_SENT, "chunk_reason": RowReason.QUIET_HOURS, "doubtful": False
        }  # fmt: skip
    unread = dict(histories)
    for index, entries in groupby(presentations, key=lambda entry: entry.chunk):
        made.add(histories[index], list(entries))
        unread.pop(index, None)
    for index, history in unread.items():
        made.add_unknown(index, history)
    return made.frames()


class _Answers:
    """What `gather` collects, as columns where there's a value for each number."""

    def __init__(self, unanswered: str) -> None:
        self.chunks: dict[int, dict[str, object]] = {}
        self._portions: list[dict[str, object]] = []
        self._ids = _Ids()
        self._fates: list[tuple[int, int, Status, str]] = []
        self._unanswered = unanswered

    def add_unknown(self, chunk: int, history: History) -> None:
        """Add a chunk that has a claim and nothing else."""
        self.chunks[chunk] = {
            "chunk": chunk,
            "chunk_status": Status.UNKNOWN,
            "chunk_reason": self._unanswered,
            "attempts": history.next,
            "doubtful": False,
        }

    def add(self, history: History, entries: Sequence[Claim | SendRecord]) -> None:
        """Add a chunk's presentations: the last one of all of it, and those of its parts since."""
        whole = max((place for place, entry in enumerate(entries) if entry.positions is None), default=None)
        parts = entries[0 if whole is None else whole + 1 :]
        owner = {position: part.submission for part in parts for position in part.positions or ()}
        if whole is not None:
            doubtful = any(_is_doubtful(entry) for entry in entries[:whole]) or (
                len(entries) == 1 and history.doubtful  # the only one that was read
            )
            entry = entries[whole]
            attempts = _calls(entry) + entry.submission
            self.chunks[entry.chunk] = self._said(entry, attempts, doubtful=doubtful)
            self._tell_apart(entry, owner, entries[:whole], doubtful=doubtful, is_whole=True)
        for place, part in enumerate(parts, 0 if whole is None else whole + 1):
            own = [position for position in part.positions or () if owner[position] == part.submission]
            if not own:
                continue
            earlier = [entry for entry in entries[:place] if entry.positions is None or own[0] in entry.positions]
            doubtful = any(_is_doubtful(entry) for entry in earlier)
            said = self._said(part, _calls(part) + len(earlier), doubtful=doubtful)
            self._portions.append({**said, "position": own})
            self._tell_apart(part, owner, entries[:place], doubtful=doubtful, is_whole=False)

    def _said(self, entry: Claim | SendRecord, attempts: int, *, doubtful: bool) -> dict[str, object]:
        """Return what a presentation says of all its numbers."""
        said = {"chunk": entry.chunk, "attempts": min(_MOST_ATTEMPTS, attempts), "doubtful": doubtful}
        if isinstance(entry, Claim):
            return {**said, "chunk_status": Status.UNKNOWN, "chunk_reason": self._unanswered}
        status, reason = MEANINGS[entry.settlement].status, entry.reason
        if doubtful and status is not Status.ACCEPTED:
            # An earlier presentation may have been taken: what this one says does not make it undone.
            status, reason = Status.UNKNOWN, RowReason.NO_REPLY
        return {
            **said,
            "chunk_status": status,
            "chunk_reason": reason,
            "request_id": entry.request_id,
            "response_code": entry.code,
            "response_description": entry.description,
            "sent_at": None if entry.sent_at is None else datetime.fromtimestamp(entry.sent_at, UTC),
        }

    def _tell_apart(
        self,
        entry: Claim | SendRecord,
        owner: Mapping[int, int],
        earlier: Sequence[Claim | SendRecord],
        *,
        doubtful: bool,
        is_whole: bool,
    ) -> None:
        """Add what a presentation says of single numbers, unless a later one covers them."""
        last = None if is_whole else entry.submission

        def is_last(position: int) -> bool:
            return owner.get(position) == last

        fates = self._left_out(entry, earlier, [place for place in entry.left_out if is_last(place)])
        if isinstance(entry, SendRecord):
            ids = entry.message_ids
            self._ids.add(entry.chunk, ids if is_whole and not owner else {p: i for p, i in ids.items() if is_last(p)})
            fate, why = (Status.UNKNOWN, RowReason.NO_REPLY) if doubtful else (Status.FAILED, RowReason.FAILED_LIST)
            fates.extend((place, fate, why) for place in entry.failed)
            fates.extend((place, Status.UNKNOWN, RowReason.FAILED_LIST_UNMATCHED) for place in entry.unclear)
        self._fates.extend((entry.chunk, place, fate, why) for place, fate, why in fates if is_last(place))

    def _left_out(
        self, entry: Claim | SendRecord, earlier: Sequence[Claim | SendRecord], places: Sequence[int]
    ) -> list[tuple[int, Status, str]]:
        """Return the fates of numbers that a call left out: suppressed.

        Where an earlier call may have texted one, its row keeps what that call left: a receipt may still settle it.
        """
        fates: list[tuple[int, Status, str]] = []
        kept: dict[tuple[int, str], list[int]] = {}
        for place in places:
            before = next((at for at in reversed(range(len(earlier))) if _may_have_texted(earlier[at], place)), None)
            if before is None:
                fates.append((place, Status.SUPPRESSED, entry.left_out[place]))
            else:
                kept.setdefault((before, entry.left_out[place]), []).append(place)
        for (at, why), texted in kept.items():
            said = self._said(earlier[at], _calls(earlier[at]) + at, doubtful=False)
            left_out = {"chunk_status": Status.SUPPRESSED, "chunk_reason": why}
            self._portions.append({**said, **left_out, "position": texted})
        return fates

    def frames(self) -> Answers:
        """Return what was collected."""
        return Answers(
            pl.DataFrame(list(self.chunks.values()), schema=_CHUNK_SCHEMA),
            pl.concat(
                [
                    self._ids.frame(),
                    pl.DataFrame(
                        self._fates, schema={name: _POSITION_SCHEMA[name] for name in _FATE_COLUMNS}, orient="row"
                    ),
                ],
                how="diagonal",
            ).select(list(_POSITION_SCHEMA)),
            pl.DataFrame(self._portions, schema={**_CHUNK_SCHEMA, "position": pl.List(pl.UInt16)})
            .explode("position")
            .select(list(_PORTION_SCHEMA)),
        )


def _is_doubtful(entry: Claim | SendRecord) -> bool:
    """Whether the gateway may have taken it."""
    return isinstance(entry, Claim) or MEANINGS[entry.settlement].chunk is ChunkState.UNKNOWN


def _may_have_texted(entry: Claim | SendRecord, position: int) -> bool:
    covered = entry.positions is None or position in entry.positions
    return covered and position not in entry.left_out and _is_doubtful(entry)


def _calls(entry: Claim | SendRecord) -> int:
    return max(1, len(entry.attempts)) if isinstance(entry, SendRecord) else 1


class _Ids:
    """Message ids as columns: a row at a time would take longer than all the rest of the results."""

    def __init__(self) -> None:
        self._chunks: list[int] = []
        self._sizes: list[int] = []
        self._positions: list[int] = []
        self._ids: list[str] = []

    def add(self, chunk: int, message_ids: Mapping[int, str]) -> None:
        if not message_ids:
            return  # an empty list would explode into a row
        self._chunks.append(chunk)
        self._sizes.append(len(message_ids))
        self._positions.extend(message_ids.keys())
        self._ids.extend(message_ids.values())

    def frame(self) -> pl.DataFrame:
        chunks = pl.DataFrame(
            {"chunk": self._chunks, "size": self._sizes}, schema={"chunk": pl.UInt32, "size": pl.UInt32}
        )
        return pl.DataFrame(
            {
                "chunk": chunks.select(pl.col("chunk").repeat_by("size").explode()).to_series(),
                "position": pl.Series(self._positions, dtype=pl.UInt16),
                "message_id": pl.Series(self._ids, dtype=pl.String),
            }
        )


def make_results(
    plan: pl.LazyFrame,
    answers: Answers,
    campaign: str,
    not_sent_reason: str,
    phonenumbers: str | None = None,
    *,
    segments: int | None = None,
    resends: bool = False,
) -> pl.LazyFrame:
    """Join the plan with what the ledger says: `RESULTS_SCHEMA`, every input row once, in input order.

    Sendable rows of a chunk that was never claimed are `not_sent` for `not_sent_reason`. `phonenumbers` is the
    version of the metadata that the plan was validated by, noted beside each `not_valid_for_region`. `segments` is
    how many parts the text has that all numbers get; None where the plan has a column of them. Where the plan's rows
    have the column `left_out`, those with a reason in it that weren't presented have its status (`planning.left_out`),
    and where the run `resends` unknown rows, those too.
    """
    planned = pl.col("status").is_not_null()
    from_position = pl.col("position_status").is_not_null()
    from_chunk = pl.col("chunk_status").is_not_null()
    accepted = pl.col("chunk_status") == Status.ACCEPTED
    status = (
        pl.when(planned)
        .then(pl.col("status"))
        .when(from_position)
        .then(pl.col("position_status"))
        .when(from_chunk)
        .then(pl.col("chunk_status"))
        .otherwise(pl.lit(Status.NOT_SENT, dtype=pl.Enum(STATUSES)))
    )
    reason = (
        pl.when(planned)
        .then(pl.col("reason"))
        .when(from_position)
        .then(pl.col("position_reason"))
        .when(accepted & pl.col("message_id").is_null())
        .then(pl.lit("message_id_unmatched"))
        .when(accepted)
        .then(None)
        .otherwise(pl.coalesce("chunk_reason", pl.lit(not_sent_reason)))
    )
    unlisted = (pl.col("status") == Status.INVALID) & (pl.col("reason") == RowReason.NOT_VALID_FOR_REGION)
    left_out = pl.col("position_status") == Status.SUPPRESSED
    joined = _join(plan, answers)
    waiting = [Status.NOT_SENT, Status.UNKNOWN] if resends else [Status.NOT_SENT]
    if "left_out" in plan.collect_schema():
        left_out_now = pl.col("left_out").is_not_null() & status.is_in(waiting)
        status = pl.when(left_out_now).then(status_of(pl.col("left_out"))).otherwise(status)
        reason = pl.when(left_out_now).then(pl.col("left_out")).otherwise(reason)
    made = {
        "campaign": pl.lit(campaign),
        "status": status,
        "reason": reason,
        "segments": pl.col("segments")
        if "segments" in plan.collect_schema()
        else pl.when(~planned).then(pl.lit(segments)),
        "metadata": pl.when(unlisted).then(pl.lit(phonenumbers and f"phonenumbers {phonenumbers}")),
        **{name: pl.when(~left_out.fill_null(value=False)).then(pl.col(name)) for name in _OF_AN_ANSWER},
        **dict.fromkeys(_OF_DELIVERY, pl.lit(None)),
    }
    return joined.select(made.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in RESULTS_SCHEMA.items())


def _join(plan: pl.LazyFrame, answers: Answers) -> pl.LazyFrame:
    """Add to the plan's rows what was said of their chunk, of their part of it and of themselves."""
    joined = plan.join(answers.chunks.lazy(), on="chunk", how="left", maintain_order="left")
    if not answers.portions.is_empty():
        said = [name for name in _CHUNK_SCHEMA if name != "chunk"]
        in_part = pl.col("chunk_status_part").is_not_null()
        joined = joined.join(
            answers.portions.lazy(), on=["chunk", "position"], how="left", maintain_order="left", suffix="_part"
        ).with_columns(pl.when(in_part).then(f"{name}_part").otherwise(name).alias(name) for name in said)
    return joined.join(answers.positions.lazy(), on=["chunk", "position"], how="left", maintain_order="left")


def write_results(
    plan: FrozenPlan, results: Callable[[pl.LazyFrame, range], pl.LazyFrame], scratch: Path
) -> tuple[Path, dict[str, int]]:
    """Write the parquet to a local file; return it and the rows by status (all statuses, also those with none).

    `results` makes the results of some rows of the plan, in which the chunks of the range stand. It is called for one
    block of rows after the other, while the one before is written, so that the memory does not grow with the list.
    """
    path = scratch / RESULTS_KEY

    def blocks(
        columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for rows, chunks in plan.blocks():
            block = results(rows, chunks).collect(engine="streaming")
            yield block if columns is None else block.select(columns)

    register_io_source(blocks, schema=RESULTS_SCHEMA).sink_parquet(path, compression="zstd", engine="streaming")
    counted = pl.scan_parquet(path, glob=False).group_by(pl.col("status").cast(pl.String)).len().collect()
    found = dict(counted.iter_rows())
    return path, {status: int(found.get(status, 0)) for status in STATUSES}


def presented_rows(results: Path) -> pl.LazyFrame:
    """Return the rows that were presented to the gateway: a part costs money also where it fails."""
    return pl.scan_parquet(results, glob=False).filter(pl.col("status").cast(pl.String).is_in(PRESENTED))
