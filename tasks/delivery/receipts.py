"""Reads delivery receipts on S3 or on disk, and picks the states of one campaign's messages.

A receipt belongs to the campaign if its TaskId names the campaign, or if the results have its MessageId (receipts from
a message queue may lack a TaskId). One without either may be of an unknown row: `receipts_without_task` says so.
Everything else is only counted: receipts of other campaigns, replies, lines that aren't receipts, and receipts of
messages within China, which have different fields.
"""

import io
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from globe_sms.tasks.campaign.task_ids import is_task_of
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA, Origin, state_of
from globe_sms.tasks.delivery.json_scan import Junk, Scan
from globe_sms.tasks.delivery.receipt_bookmarks import Mark
from globe_sms.tasks.delivery.receipt_shapes import Kind, kind_of, unwrapped
from globe_sms.tasks.delivery.receipts_without_task import OPEN_ROWS, WithoutTask
from globe_sms.tasks.recipients.file_content import decompress, decompress_stream, read_head
from globe_sms.tasks.recipients.file_formats import UTF8, compression_of
from globe_sms.tasks.recipients.list_source import Format, Layout, ListSource, refusal
from globe_sms.tasks.recipients.uri_expansion import StoredFile, list_files
from globe_sms.tasks.store.s3_access import S3Access, is_s3, one_line, s3_errors_name, split_uri
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.plurals import counted

_AT_ONCE: Final = 16
_SMALL: Final = 1 << 20  # bytes; read whole, sixteen at once
_BLOCK: Final = 50_000
_MOST_TROUBLES: Final = 20
_MOST_REASONS: Final = 3
_FAILURES_IN_A_ROW: Final = 16
_HEAD: Final = 16
_NUMBER: Final = {"phone_number": pl.String}

States = Callable[[pl.DataFrame], object]
# Says which receipts without a TaskId (`STATE_SCHEMA`, each message once) settle a row without doubt.
SettleWithoutTask = Callable[[pl.DataFrame], WithoutTask]


@dataclass(slots=True)
class Reading:
    """How much was read; `troubles` names the first twenty lines and objects that couldn't be read."""

    objects: int = 0
    already_read: int = 0
    receipts: int = 0
    of_campaign: int = 0
    domestic: int = 0
    replies: int = 0
    without_task: int = 0
    doubts: Counter[str] = field(default_factory=Counter[str])
    junk_lines: int = 0
    unreadable: int = 0
    unattempted: int = 0
    nothing_at: tuple[str, ...] = ()
    troubles: list[str] = field(default_factory=list[str])

    def trouble(self, source: str, what: str, line: int | None = None) -> None:
        """Record a line or an object that couldn't be read, up to a limit."""
        if len(self.troubles) < _MOST_TROUBLES:
            where = one_line(source) if line is None else f"{one_line(source)}, line {line}"
            self.troubles.append(f"{where}: {what}")

    def sentences(self) -> list[str]:
        """Return what people should know about the reading, one sentence per line."""
        said = [f"no receipts there yet: {one_line(uri)}" for uri in self.nothing_at]
        if self.objects or not self.already_read:
            said.append(
                f"read {counted(self.receipts, 'delivery receipt')} in {counted(self.objects, 'object')}, "
                f"{self.of_campaign:,} for this campaign; {counted(self.already_read, 'object')} had been read before"
            )
        if self.domestic:
            said.append(
                f"skipped {counted(self.domestic, 'receipt')} of messages within mainland China (phone_number, biz_id) "
                "that this API doesn't send: push GlobeSmsReport, not SmsReport, here"
            )
        if self.without_task:
            said.append(
                f"{counted(self.without_task, 'receipt')} without a TaskId fit just one unknown row each, by number, "
                "time and text"
            )
        if self.doubts:
            why = "; ".join(f"{count:,}: {reason}" for reason, count in self.doubts.most_common(_MOST_REASONS))
            said.append(
                f"{counted(sum(self.doubts.values()), 'receipt')} without a TaskId may be of unknown rows, but not "
                f"without doubt ({why}): these rows stay unknown. Look for the MessageIds in Alibaba's console"
            )
        if self.junk_lines:
            said.append(f"skipped {counted(self.junk_lines, 'line')} without a valid delivery receipt")
        if self.unreadable:
            said.append(f"couldn't read {counted(self.unreadable, 'object')}; the next run tries again")
        if self.unattempted:
            said.append(
                f"did not try {counted(self.unattempted, 'object')}, because too many in a row couldn't be read"
            )
        return [*said, *self.troubles]


def find_receipts(uris: Sequence[str], s3: Callable[[], S3Access]) -> tuple[dict[str, StoredFile], tuple[str, ...]]:
    """Return the objects and files by URI, each once, and the `uris` where there is nothing yet.

    A URI is an s3:// object, prefix or glob, or a local path. Empty objects are skipped, and so are files and folders
    whose name starts with `_` or `.`, unless the URI names them: the receipts endpoint keeps other things there.

    Raises:
        InputError: a URI can't be listed, or its bucket doesn't exist.
    """
    places: dict[str, StoredFile] = {}
    nothing: list[str] = []
    for uri in uris:
        named = _hidden(uri if is_s3(uri) else str(Path(uri.removeprefix("file://")).expanduser().absolute()))
        found = [place for place in list_files(uri, s3) if place.size and not _hidden(place.uri) - named]
        if not found:
            nothing.append(uri)
        places |= {place.uri: place for place in found}
    return places, tuple(nothing)


def _hidden(uri: str) -> set[str]:
    return {part for part in uri.split("/") if part.startswith(("_", "."))}


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
        for at, (place, pieces) in enumerate(_opened(places, s3)):
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


def _opened(
    places: Sequence[StoredFile], s3: Callable[[], S3Access]
) -> Iterator[tuple[StoredFile, Callable[[], Iterator[bytes]]]]:
    """Yield each object with a function that reads it; small objects are fetched in advance."""
    ahead: deque[tuple[StoredFile, Future[bytes] | None]] = deque()
    waiting = iter(places)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="receipts") as pool:
        try:
            while True:
                while len(ahead) < 2 * _AT_ONCE and (place := next(waiting, None)) is not None:
                    ahead.append((place, pool.submit(_whole, place, s3) if place.size <= _SMALL else None))
                if not ahead:
                    return
                place, fetched = ahead.popleft()
                yield place, lambda place=place, fetched=fetched: _pieces(place, fetched, s3)
        finally:
            pool.shutdown(cancel_futures=True)


def _whole(place: StoredFile, s3: Callable[[], S3Access]) -> bytes:
    if not is_s3(place.uri):
        with _file(place.uri) as file:
            return file.read()
    bucket, key = split_uri(place.uri)
    with s3_errors_name(place.uri):
        return s3().client().get_object(Bucket=bucket, Key=key)["Body"].read()


def _pieces(place: StoredFile, fetched: Future[bytes] | None, s3: Callable[[], S3Access]) -> Iterator[bytes]:
    if fetched is not None:
        body = fetched.result()
        yield from decompress_stream(place.uri, io.BytesIO(body), compression_of(body))
    elif is_s3(place.uri):
        head = read_head(place.uri, s3, _HEAD)
        compression = compression_of(head.data)
        source = ListSource(place.uri, Format.NDJSON, compression, UTF8, head.size, head.identity, Layout())
        yield from decompress(source, s3)
    else:
        with _file(place.uri) as file:
            compression = compression_of(file.read(_HEAD))
            file.seek(0)
            yield from decompress_stream(place.uri, file, compression)


@contextmanager
def _file(path: str) -> Generator[IO[bytes]]:
    try:
        with Path(path).open("rb") as file:
            yield file
    except OSError as error:
        raise refusal(path, f"it can't be read ({error.strerror or type(error).__name__})") from None
