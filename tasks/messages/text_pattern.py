"""What the texts of a campaign have in common: whether two campaigns could send the same text, without their lists."""

from dataclasses import dataclass
from typing import Self

from globe_sms.tasks.messages.gsm7_alphabet import replace_look_alikes
from globe_sms.tasks.messages.message_texts import Wording


@dataclass(frozen=True, slots=True)
class TextPattern:
    """The texts of a campaign, as they leave.

    Attributes:
        start: what each begins with, before the first placeholder; the whole text where all get the same one.
        end: what each ends with, after the last placeholder.
        personal: whether each recipient has a text of their own.
    """

    start: str
    end: str
    personal: bool

    @classmethod
    def of(cls, wording: Wording) -> Self:
        """Return the pattern of a campaign's texts; texts from a column of the list may be anything."""
        text = wording.text
        if text is not None:
            return cls(text, "", personal=False)
        pieces = () if wording.template is None else wording.template.pieces
        ends = [piece if isinstance(piece, str) else "" for piece in (pieces[:1] + pieces[-1:] if pieces else ("", ""))]
        if wording.downgrade:
            ends = [replace_look_alikes(end) for end in ends]
        return cls(ends[0], ends[-1], personal=True)

    @property
    def text(self) -> str | None:
        """The text that all recipients get; None if each has their own."""
        return None if self.personal else self.start

    def may_equal(self, other: "TextPattern") -> bool:
        """Whether a text of this campaign could be a text of the other, word for word."""
        if self.text is not None and other.text is not None:
            return self.text == other.text
        if self.text is not None:
            return other.may_be(self.text)
        if other.text is not None:
            return self.may_be(other.text)
        starts = self.start.startswith(other.start) or other.start.startswith(self.start)
        return starts and (self.end.endswith(other.end) or other.end.endswith(self.end))

    def may_be(self, text: str) -> bool:
        """Whether a personal text could be this one."""
        is_long_enough = len(text) >= len(self.start) + len(self.end)
        return is_long_enough and text.startswith(self.start) and text.endswith(self.end)
