"""What the texts of a campaign have in common: whether two campaigns could send the same text, without their lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

from globe_sms.tasks.messages.gsm7_alphabet import replace_look_alikes
from globe_sms.tasks.messages.message_texts import Wording
from globe_sms.tasks.messages.template import Placeholder


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
        if wording.choices is not None:
            ends = [_ends(template.pieces) for template in wording.choices.templates]
        else:
            ends = [_ends(() if wording.template is None else wording.template.pieces)]
        if wording.downgrade:
            ends = [(replace_look_alikes(start), replace_look_alikes(end)) for start, end in ends]
        starts, backwards = [start for start, _ in ends], [end[::-1] for _, end in ends]
        return cls(_common_start(starts), _common_start(backwards)[::-1], personal=True)

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


def _ends(pieces: Sequence[str | Placeholder]) -> tuple[str, str]:
    """Return what a text begins and ends with, outside its placeholders; one without any is all beginning."""
    if len(pieces) < 2:  # noqa: PLR2004 - one piece is all text, or all placeholder
        return "".join(piece for piece in pieces if isinstance(piece, str)), ""
    first, last = (piece if isinstance(piece, str) else "" for piece in (pieces[0], pieces[-1]))
    return first, last


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
