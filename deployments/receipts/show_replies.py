"""`globe-sms receipts replies`: the replies of a place, masked, and how many people have opted out by them."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from globe_sms.tasks.replies.read_reply import Reply
from globe_sms.tasks.replies.stored_replies import AS_A_LIST, REPLIES, ReplyCounts, StoredReplies
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.masking import mask, mask_numbers_in
from globe_sms.tasks.vocabulary.plurals import counted

MOST_SHOWN: Final = 50
_LONGEST_TEXT: Final = 80
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RepliesShown:
    """The replies of a place.

    Attributes:
        place: where they are.
        counts: how many there are.
        opted_out: how many numbers have opted out.
        latest: the latest replies, oldest first.
    """

    place: str
    counts: ReplyCounts
    opted_out: int
    latest: tuple[Reply, ...]

    def table(self) -> Table:
        """Return a line for each of the latest replies."""
        table = Table(show_edge=False, pad_edge=False)
        for column in ("time (UTC)", "number", "means"):
            table.add_column(column, no_wrap=True)
        table.add_column("text", overflow="fold")
        for reply in self.latest:
            table.add_row(*map(Text, _cells(reply)))
        return table

    def sentences(self) -> list[str]:
        """Return what people should know, one sentence per line."""
        if not self.counts.total:
            return [f"{self.place}: nobody has replied yet.", self._how()]
        found = self.counts
        kinds = f"{found.stop:,} STOP, {found.start:,} START, {found.other:,} other"
        said = [f"{_replies(found.total)}: {kinds}. {counted(self.opted_out, 'number')} opted out."]
        if found.not_understood:
            said.append(
                f"{_replies(found.not_understood)} had no number or no time that can be read: look at "
                f"them in {self.place}/{REPLIES}, and put opt-outs among them on a list of your own."
            )
        return [*said, self._how()]

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        cells = [dict(zip(("at", "number", "means", "text"), _cells(reply), strict=True)) for reply in self.latest]
        found = self.counts
        return {
            "place": self.place,
            "replies": found.total,
            "stop": found.stop,
            "start": found.start,
            "other": found.other,
            "not_understood": found.not_understood,
            "opted_out": self.opted_out,
            "latest": cells,
        }

    def _how(self) -> str:
        return f'To leave out those who opted out, name the list in the policy: suppress = ["{self.place}{AS_A_LIST}"]'


def read_replies(store: Store) -> RepliesShown:
    """Read the replies of a place.

    Raises:
        InputError: no endpoint ever wrote there.
        StoreError: it can't be read.
    """
    replies: list[Reply] = []
    found = StoredReplies(store, note=replies.append)
    found.look()
    latest = deque(sorted(replies, key=lambda reply: reply.at or _FIRST), maxlen=MOST_SHOWN)
    return RepliesShown(store.uri, found.counts, len(found.opted_out), tuple(latest))


def _replies(count: int) -> str:
    return f"{count:,} {'reply' if count == 1 else 'replies'}"


def _cells(reply: Reply) -> tuple[str, str, str, str]:
    at = "" if reply.at is None else f"{reply.at:%Y-%m-%d %H:%M:%S}"
    text = mask_numbers_in(" ".join(reply.text.split()))
    shown = text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
    return at, mask(f"+{reply.e164}"), reply.meaning.value, shown
