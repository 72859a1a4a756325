"""The syntax of `--message`: text with placeholders, each a column name.

`{name}` becomes the column's value, and `{name|there}` becomes `there` if the cell is empty; `{{` and `}}` are braces.
Attributes, indexes, format specifications and code aren't supported.
"""

from dataclasses import dataclass

from globe_sms.tasks.recipients.number_column import normalize_name
from globe_sms.tasks.vocabulary.errors import InputError

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A column's value, or `default` if the cell is empty; without a default such a row is invalid."""

    column: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """Texts and placeholders, in order; two texts are never adjacent."""

    pieces: tuple[str | Placeholder, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the template needs, each in the first spelling of its name."""
        found: dict[str, str] = {}
        for piece in self.pieces:
            if isinstance(piece, Placeholder):
                found.setdefault(normalize_name(piece.column) or piece.column, piece.column)
        return tuple(found.values())

    def column_of(self, placeholder: Placeholder) -> str:
        """Return the entry of `columns` that a placeholder refers to."""
        name = normalize_name(placeholder.column) or placeholder.column
        return next(column for column in self.columns if (normalize_name(column) or column) == name)

    @property
    def text(self) -> str | None:
        """The text that all rows get; None if it depends on the row."""
        if any(isinstance(piece, Placeholder) for piece in self.pieces):
            return None
        return "".join(piece for piece in self.pieces if isinstance(piece, str))


def parse_template(message: str) -> Template:
    """Parse a template.

    Raises:
        InputError: a brace is unmatched, or a placeholder has no name.
    """
    pieces: list[str | Placeholder] = []
    text: list[str] = []
    place = 0
    while place < len(message):
        character = message[place]
        if character not in "{}":
            text.append(character)
            place += 1
        elif message.startswith(character, place + 1):
            text.append(character)
            place += 2
        elif character == "}":
            raise _unmatched(message, place, "}")
        else:
            if text:
                pieces.append("".join(text))
                text = []
            placeholder, place = _placeholder(message, place)
            pieces.append(placeholder)
    if text:
        pieces.append("".join(text))
    return Template(tuple(pieces))


def _placeholder(message: str, start: int) -> tuple[Placeholder, int]:
    end = message.find("}", start)
    inner = message[start + 1 : end]
    if end < 0 or "{" in inner:
        raise _unmatched(message, start, "{")
    column, bar, default = inner.partition("|")
    if not column.strip():
        raise InputError(
            f"the placeholder {inner[:_SHOWN]!r} at character {start + 1} has no name: put a column name between the "
            "braces, or write {{ and }} for braces."
        )
    return Placeholder(column.strip(), default.strip() if bar else None), end + 1


def _unmatched(message: str, place: int, brace: str) -> InputError:
    return InputError(
        f"the {brace} at character {place + 1} ({message[place : place + _SHOWN]!r}) is unmatched: write "
        f"{brace}{brace} for a brace, or {{name}} for the value of the column 'name'."
    )
