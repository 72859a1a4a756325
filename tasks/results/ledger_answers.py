"""What the ledger says of a campaign's numbers, folded into frames that the plan can be joined with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import polars as pl

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.message_ids import MessageIds, id_lists
from globe_sms.tasks.campaign.send_record import Claim, SendRecord
from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import STATUSES, Status

CHUNK_SCHEMA = {
    "chunk": pl.UInt32(),
    "chunk_status": pl.Enum(STATUSES),
    "chunk_reason": pl.String(),
    "request_id": pl.Categorical(),
    "response_code": pl.Categorical(),
    "response_description": pl.Categorical(),
    "attempts": pl.UInt8(),
    "sent_at": pl.Datetime("us", "UTC"),
    "doubtful": pl.Boolean(),
}
POSITION_SCHEMA = {
    "chunk": pl.UInt32(),
    "position": pl.UInt16(),
    "message_id": pl.String(),
    "position_status": pl.Enum(STATUSES),
    "position_reason": pl.String(),
}
PORTION_SCHEMA = {**CHUNK_SCHEMA, "position": pl.UInt16()}
_FATE_COLUMNS = ("chunk", "position", "position_status", "position_reason")
_MAX_ATTEMPTS = 255


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
            texted = self._tell_apart(part, owner, entries[:place], doubtful=doubtful, is_whole=False)
            if others := [position for position in own if position not in texted]:
                self._portions.append({**said, "position": others})

    def _said(self, entry: Claim | SendRecord, attempts: int, *, doubtful: bool) -> dict[str, object]:
        """Return what a presentation says of all its numbers."""
        said = {"chunk": entry.chunk, "attempts": min(_MAX_ATTEMPTS, attempts), "doubtful": doubtful}
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
    ) -> frozenset[int]:
        """Add what a presentation says of single numbers, unless a later one covers them.

        Returns the positions of which an earlier call says more than this one.
        """
        last = None if is_whole else entry.submission

        def is_last(position: int) -> bool:
            return owner.get(position) == last

        fates, texted = self._left_out(entry, earlier, [place for place in entry.left_out if is_last(place)])
        if isinstance(entry, SendRecord):
            ids = entry.message_ids
            self._ids.add(entry.chunk, ids if is_whole and not owner else {p: i for p, i in ids.items() if is_last(p)})
            fate, why = (Status.UNKNOWN, RowReason.NO_REPLY) if doubtful else (Status.FAILED, RowReason.FAILED_LIST)
            fates.extend((place, fate, why) for place in entry.failed)
            fates.extend((place, Status.UNKNOWN, RowReason.FAILED_LIST_UNMATCHED) for place in entry.unclear)
        self._fates.extend((entry.chunk, place, fate, why) for place, fate, why in fates if is_last(place))
        return texted

    def _left_out(
        self, entry: Claim | SendRecord, earlier: Sequence[Claim | SendRecord], places: Sequence[int]
    ) -> tuple[list[tuple[int, Status, str]], frozenset[int]]:
        """Return the fates of numbers that a call left out, and those of them that an earlier call may have texted.

        Their rows keep what that call left: a receipt may still settle them.
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
        return fates, frozenset(place for texted in kept.values() for place in texted)

    def frames(self) -> Answers:
        """Return what was collected."""
        return Answers(
            pl.DataFrame(list(self.chunks.values()), schema=CHUNK_SCHEMA),
            pl.concat(
                [
                    self._ids.frame(),
                    pl.DataFrame(
                        self._fates, schema={name: POSITION_SCHEMA[name] for name in _FATE_COLUMNS}, orient="row"
                    ),
                ],
                how="diagonal",
            ).select(list(POSITION_SCHEMA)),
            pl.DataFrame(self._portions, schema={**CHUNK_SCHEMA, "position": pl.List(pl.UInt16)})
            .explode("position")
            .select(list(PORTION_SCHEMA)),
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
        self._stored: list[str] = []

    def add(self, chunk: int, message_ids: Mapping[int, str]) -> None:
        ids = message_ids if isinstance(message_ids, MessageIds) else MessageIds.of(message_ids)
        self._chunks.append(chunk)
        self._stored.append(ids.stored)

    def frame(self) -> pl.DataFrame:
        ids = id_lists(self._stored)
        size = ids.list.len()
        found = (
            pl.DataFrame({"chunk": pl.Series(self._chunks, dtype=pl.UInt32), "message_id": ids, "size": size})
            .filter(pl.col("size") > 0)  # an empty list would explode into a row
            .select("chunk", pl.int_ranges("size", dtype=pl.UInt16).alias("position"), "message_id")
            .explode("position", "message_id")
        )
        return found.drop_nulls("message_id") if found["message_id"].null_count() else found
