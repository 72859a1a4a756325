"""What a page is made of. All of it is plain text; whoever shows it escapes it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph; `strong` is for the one line that must not be missed."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table under its own heading. `numeric` are the places of the columns that hold figures."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Quote:
    """A text as it reads on a phone, under a heading."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Notes:
    """A list of terms, each with what is to be said of it: what is too long for a table's cell."""

    heading: str
    entries: tuple[tuple[str, str], ...]


Block = Words | Table | Quote | Notes


@dataclass(frozen=True, slots=True)
class Page:
    """A title and what follows it, in order."""

    title: str
    blocks: tuple[Block, ...]
