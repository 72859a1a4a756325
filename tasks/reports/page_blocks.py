"""The blocks of a page. They hold plain text; the code that shows a page escapes it."""

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph; `strong` is for lines that must not be missed."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table under its own heading; `numeric` has the indexes of the columns with numbers."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Quote:
    """A text as it looks on a phone, under a heading."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Notes:
    """A list of terms with an explanation each, for texts too long for a table.

    `advice`: the explanations may name options, so they follow the reader's words too. Others quote what people gave.
    """

    heading: str
    entries: tuple[tuple[str, str], ...]
    advice: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `at` is a URL, or a path from the page that shows it; `place` says where that is, in words."""

    text: str
    at: str
    place: str = ""


Block = Words | Table | Quote | Notes | Link


@dataclass(frozen=True, slots=True)
class Page:
    """A title and the blocks below it, in order."""

    title: str
    blocks: tuple[Block, ...]

    def in_words(self, rename: Callable[[str], str]) -> "Page":
        """Return the page with its paragraphs, terms and advice in other words, such as the form's for options."""
        return replace(self, blocks=tuple(_renamed(block, rename) for block in self.blocks))


def _renamed(block: Block, rename: Callable[[str], str]) -> Block:
    match block:
        case Words(text, strong):
            return Words(rename(text), strong)
        case Notes(heading, entries, advice):
            renamed = ((rename(term), rename(said) if advice else said) for term, said in entries)
            return Notes(heading, tuple(renamed), advice)
        case Table() | Quote() | Link():
            return block
