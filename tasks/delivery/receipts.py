"""Reads delivery receipts, and picks the states of one campaign's messages.

A receipt belongs to the campaign if its TaskId names the campaign, or if the results have its MessageId (receipts from
a message queue may lack a TaskId). One without either may be of an unknown row: `receipts_without_task` says so.
Everything else is only counted: receipts of other campaigns, replies, lines that aren't receipts, and receipts of
messages within China, which have different fields.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.task_ids import is_task_of
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin, state_of
from globe_sms.tasks.delivery.json_scan import Junk, Scan
from globe_sms.tasks.delivery.receipt_bookmarks import Mark
from globe_sms.tasks.delivery.receipt_objects import open_receipts
from globe_sms.tasks.delivery.receipt_shapes import Kind, kind_of, unwrapped
from globe_sms.tasks.delivery.receipts_reading import Reading
from globe_sms.tasks.delivery.receipts_without_task import OPEN_ROWS, WithoutTask
from globe_sms.tasks.recipients.uri_expansion import StoredFile
from globe_sms.tasks.store.s3_access import S3Access, one_line
from globe_sms.tasks.vocabulary.errors import InputError

_BLOCK: Final = 50_000
_FAILURES_IN_A_ROW: Final = 16
_NUMBER: Final = {"phone_number": pl.String}

States = Callable[[pl.DataFrame], object]
# Says which receipts without a TaskId (`STATE_SCHEMA`, each message once) settle a row without doubt.
SettleWithoutTask = Callable[[pl.DataFrame], WithoutTask]


class CampaignReader:
    """Reads objects for one campaign and passes on the states of its messages, block by block.

    Args:
        campaign: the campaign's id.
        message_ids: one column, `message_id`: the ids in its results.
        known: one column, `message_id`: messages whose final state is known already.
        seen_at: the time of this reading.
        keep: saves each block of `STATE_SCHEMA`; a block is saved when it returns.
        reading: counts what is read.
        open_rows: the unknown rows of its results (`receipts_without_task.OPEN_ROWS`).
        settle: says which receipts without a TaskId settle one of them.
    """

    def __init__(
        self,
        campaign: str,
        message_ids: pl.DataFrame,
        known: pl.DataFrame,
        *,
        seen_at: datetime,
        keep: States,
        reading: Reading,
        open_rows: pl.DataFrame | None = None,
        settle: SettleWithoutTask = lambda _: WithoutTask(pl.DataFrame(schema=STATE_SCHEMA)),
    ) -> None:
        self._campaign = campaign
        self._message_ids = message_ids
        self._known = known
        self._seen_at = seen_at
        self._keep = keep
        self._reading = reading
        self._open_rows = pl.DataFrame(schema=OPEN_ROWS) if open_rows is None else open_rows
        self._settle = settle
        self._without_task: list[tuple[str, dict[str, Any]]] = []
        self._states: list[dict[str, Any]] = []
        self._others: list[tuple[str, Mapping[str, Any]]] = []
        self._untold: set[str] = set()
        self._read: dict[str, str] = {}

    def read(self, places: Sequence[StoredFile], s3: Callable[[], S3Access]) -> Mapping[str, Mark]:
        """Read the objects; return the marks of those that were read to their end and whose states are saved."""
        in_a_row = 0
        for at, (place, pieces) in enumerate(open_receipts(places, s3)):
            self._reading.objects += 1
            try:
                self._read_one(place.uri, pieces())
            except InputError as error:
                in_a_row += 1
                self._reading.unreadable += 1
                self._reading.trouble(place.uri, str(error).removeprefix(f"{one_line(place.uri)}: "))
                if in_a_row == _FAILURES_IN_A_ROW:
                    self._reading.unattempted = len(places) - at - 1
                    break
            else:
                in_a_row = 0
                self._read[place.uri] = place.identity
        self._flush()
        self._settle_open_rows()
        held = self._message_ids.height + self._open_rows.height
        return {uri: Mark(identity, held if uri in self._untold else None) for uri, identity in self._read.items()}

    def _read_one(self, uri: str, pieces: Iterator[bytes]) -> None:
        scan = Scan(_text_only(uri, pieces))
        for found in scan:
            if isinstance(found, Junk):
                self._junk(uri, found.line, "this is not a JSON object")
            else:
                for fields in unwrapped(found):
                    self._sort(uri, scan, fields)
            if len(self._states) + len(self._others) >= _BLOCK:
                self._flush()

    def _sort(self, uri: str, scan: Scan, fields: Mapping[str, Any]) -> None:
        kind = kind_of(fields)
        if kind is Kind.RECEIPT:
            self._reading.receipts += 1
            if is_task_of(self._campaign, fields.get("TaskId")):
                self._take(uri, scan, fields)
            else:
                self._others.append((uri, fields))
        elif kind is Kind.REPLY:
            self._reading.replies += 1
        elif kind is Kind.DOMESTIC:
            self._reading.domestic += 1
        else:
            self._junk(uri, scan.line, "this is not a delivery receipt: it has no MessageId")

    def _take(self, uri: str, scan: Scan | None, fields: Mapping[str, Any]) -> None:
        try:
            self._states.append(state_of(fields, Origin.RECEIPT, self._seen_at))
            self._reading.of_campaign += 1
        except ValueError as error:
            self._junk(uri, None if scan is None else scan.line, f"a delivery receipt can't be read: {error}")

    def _junk(self, uri: str, line: int | None, what: str) -> None:
        self._reading.junk_lines += 1
        self._reading.trouble(uri, what, line)

    def _flush(self) -> None:
        self._claim_by_id()
        if self._states:
            states = pl.DataFrame(self._states, schema=STATE_SCHEMA, orient="row")
            self._states = []
            new = states.unique("message_id", keep="first", maintain_order=True).join(
                self._known, on="message_id", how="anti", maintain_order="left"
            )
            self._keep(new)

    def _claim_by_id(self) -> None:
        """Take the receipts without a matching TaskId whose message id is in the results."""
        others, self._others = self._others, []
        if not others:
            return
        ids = pl.DataFrame(
            {"message_id": [str(fields["MessageId"]).strip() for _, fields in others]}, schema={"message_id": pl.String}
        )
        ours = ids.with_row_index("place").join(self._message_ids, on="message_id", how="semi")["place"]
        for place in ours:
            self._take(others[place][0], None, others[place][1])
        mine = set(ours)
        untold = [each for place, each in enumerate(others) if place not in mine and not each[1].get("TaskId")]
        self._untold |= {uri for uri, _ in untold}
        if self._open_rows.height:
            self._note_open(untold)

    def _note_open(self, untold: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Keep the receipts without a TaskId whose number an unknown row has."""
        states: list[dict[str, Any]] = []
        uris: list[str] = []
        for uri, fields in untold:
            with suppress(ValueError):  # of another campaign, perhaps: not this one's trouble
                states.append(state_of(fields, Origin.RECEIPT, self._seen_at))
                uris.append(uri)
        numbers = pl.DataFrame({"phone_number": [state["phone_number"] for state in states]}, schema=_NUMBER)
        hit = numbers.with_row_index("place").join(self._open_rows, on="phone_number", how="semi")["place"]
        self._without_task += [(uris[place], states[place]) for place in hit]

    def _settle_open_rows(self) -> None:
        """Settle unknown rows without doubt; objects whose doubts may go away are read again next time."""
        if not self._without_task:
            return
        states = pl.DataFrame([state for _, state in self._without_task], schema=STATE_SCHEMA, orient="row")
        found = self._settle(states.unique("message_id", keep="first", maintain_order=True))
        self._reading.without_task = found.states.height
        self._reading.of_campaign += found.states.height
        self._reading.doubts.update(found.doubts.values())
        if found.states.height:
            self._keep(found.states.join(self._known, on="message_id", how="anti", maintain_order="left"))
        for uri, state in self._without_task:
            if state["message_id"] in found.may_change:
                self._read.pop(uri, None)


def _text_only(uri: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if b"\0" in piece:
            raise InputError(f"{one_line(uri)}: this is not JSON in UTF-8")
        yield piece
