"""What `--message` says: text with placeholders, each of which is the name of a column.

`{name}` stands for the value of the column, `{name|there}` for it or for `there` where the cell is empty; `{{` and `}}`
are braces. That is all: no attributes, no indexes, no formats, no code.
"""

from dataclasses import dataclass

from globe_sms.tasks.recipients.number_column import plain
from globe_sms.tasks.vocabulary.errors import InputError

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The value of a column; `default` where its cell is empty, and without one such a row is invalid."""

    column: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """Text and placeholders, in order. Two texts never follow each other."""

    pieces: tuple[str | Placeholder, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it needs, each by the first spelling of its name."""
        found: dict[str, str] = {}
        for piece in self.pieces:
            if isinstance(piece, Placeholder):
                found.setdefault(plain(piece.column) or piece.column, piece.column)
        return tuple(found.values())

    def column_of(self, placeholder: Placeholder) -> str:
        """Return which of `columns` a placeholder means."""
        name = plain(placeholder.column) or placeholder.column
        return next(column for column in self.columns if (plain(column) or column) == name)

    @property
    def text(self) -> str | None:
        """What every row reads; None where it depends on the row."""
        if any(isinstance(piece, Placeholder) for piece in self.pieces):
            return None
        return "".join(piece for piece in self.pieces if isinstance(piece, str))


def parse_template(message: str) -> Template:
    """Read a template.

    Raises:
        InputError: a brace stands alone, or a placeholder has no name.
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
            raise _alone(message, place, "}")
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
        raise _alone(message, start, "{")
    column, bar, default = inner.partition("|")
    if not column.strip():
        raise InputError(
            f"the placeholder {inner[:_SHOWN]!r} at character {start + 1} has no name: write the name of a column "
            "between the braces, or {{ and }} for braces."
        )
    return Placeholder(column.strip(), default.strip() if bar else None), end + 1


def _alone(message: str, place: int, brace: str) -> InputError:
    return InputError(
        f"the {brace} at character {place + 1} ({message[place : place + _SHOWN]!r}) belongs to no placeholder: write "
        f"{brace}{brace} for a brace, or {{name}} for the value of the column name."
    )
