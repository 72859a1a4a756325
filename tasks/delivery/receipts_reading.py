"""How much a reading of delivery receipts found, and what people should know about it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from globe_sms.tasks.store.s3_access import one_line
from globe_sms.tasks.vocabulary.plurals import counted

_MOST_TROUBLES: Final = 20
_MOST_REASONS: Final = 3


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
