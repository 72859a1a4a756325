"""The text of each row, as polars expressions over its columns, and the rows that cannot have one."""

from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from globe_sms.tasks.messages.gsm7_alphabet import (
    NOT_GSM,
    is_gsm,
    look_alikes_in,
    only_look_alikes,
    without_look_alikes,
)
from globe_sms.tasks.messages.message_parts import count_parts
from globe_sms.tasks.messages.template import Placeholder, Template, parse_template
from globe_sms.tasks.vocabulary.statuses import STATUSES, MessageReason, Status

PREFIX: Final = "column:"
"""What the names of a list's columns begin with in the frame, so that they are none of the frame's own."""

TEXT_COLUMNS: Final = ("message", "segments", "replaced")
"""What `add_texts` adds."""

_DAMAGING: Final = (
    r"[\p{Cc}\x{2028}\x{2029}\x{202A}-\x{202E}\x{2066}-\x{2069}]+"  # controls, line ends, direction marks
)
_DAMAGING_IN_TEXTS: Final = r"[\p{Cc}\x{2028}\x{2029}\x{202A}-\x{202E}\x{2066}-\x{2069}--[\n\r]]+"
_BLANKS: Final = (
    " \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)


@dataclass(frozen=True, slots=True)
class Wording:
    """Where the texts come from: a template, or a column that holds them; `downgrade` keeps texts in GSM-7."""

    template: Template | None
    column: str | None
    downgrade: bool
    max_characters: int

    @classmethod
    def of(cls, message: str | None, column: str | None, *, downgrade: bool, max_characters: int) -> Self:
        """Read a wording from what an order says.

        Raises:
            InputError: the template cannot be read.
        """
        return cls(None if message is None else parse_template(message), column, downgrade, max_characters)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the lists that it needs."""
        if self.column is not None:
            return (self.column,)
        return () if self.template is None else self.template.columns

    @property
    def replaced(self) -> tuple[str, ...]:
        """The characters that downgrading replaces in what every row reads, each once, the most frequent first."""
        text = None if self.template is None else self.template.text
        return () if text is None or not self.downgrade else look_alikes_in(text)

    @property
    def text(self) -> str | None:
        """What every row reads; None where it depends on the row."""
        text = None if self.template is None else self.template.text
        if text is None or not self.downgrade:
            return text
        return pl.select(without_look_alikes(pl.lit(text))).item()


def add_texts(rows: pl.LazyFrame, wording: Wording) -> pl.LazyFrame:
    """Add `message`, `segments` (UInt16) and `replaced` to validated rows; reject rows that can't have a text.

    `rows` has the columns of `wording`, each named `PREFIX` and its name, beside `status` and `reason`. Rows that have
    a status already keep it. Without a value: `invalid`, `missing_<column>`; without a text or with one that is too
    long: `message_empty`, `message_too_long`. All three are null in rows that are not sent. `replaced` (String) holds
    the characters that downgrading replaced, in order; null if there were none.
    """
    if wording.template is None:
        rows = rows.with_columns(message=_value(str(wording.column), _DAMAGING_IN_TEXTS))
        missing = None
    else:
        # Cleaned once: polars finds an expression that stands twice only within one step.
        rows = rows.with_columns(_value(column).alias(f"{PREFIX}{column}") for column in wording.template.columns)
        rows = rows.with_columns(message=_rendered(wording.template))
        missing = _missing(wording.template)
    message = pl.col("message")
    if wording.downgrade:
        rows = rows.with_columns(replaced=only_look_alikes(message), message=without_look_alikes(message))
    else:
        rows = rows.with_columns(replaced=pl.lit(None, dtype=pl.String))
    faults = [] if missing is None else [missing]
    faults.append(
        pl.when(_is_blank(message, wording.template))
        .then(pl.lit(MessageReason.MESSAGE_EMPTY))
        .when(message.str.len_chars() > wording.max_characters)
        .then(pl.lit(MessageReason.MESSAGE_TOO_LONG))
    )
    sendable = pl.col("status").is_null()
    is_faulty = sendable & pl.col("fault").is_not_null()
    return (
        rows.with_columns(fault=pl.coalesce(faults))
        .with_columns(
            status=pl.when(is_faulty).then(pl.lit(Status.INVALID, dtype=pl.Enum(STATUSES))).otherwise(pl.col("status")),
            reason=pl.when(is_faulty).then(pl.col("fault")).otherwise(pl.col("reason").cast(pl.String)),
            message=pl.when(sendable & pl.col("fault").is_null()).then(message),
            replaced=pl.when(sendable & pl.col("fault").is_null()).then(pl.col("replaced")),
        )
        .with_columns(segments=count_parts(message, _gsm(wording)))
        .drop("fault")
    )


def _gsm(wording: Wording) -> pl.Expr | None:
    """Return which texts can be sent in GSM-7, by the values alone where they alone decide; None where they do not."""
    if wording.template is None or wording.downgrade:
        return None
    said = "".join(piece if isinstance(piece, str) else piece.default or "" for piece in wording.template.pieces)
    if not is_gsm(said):
        return None
    values = [pl.col(f"{PREFIX}{column}") for column in wording.template.columns]
    return ~pl.concat_str(values).str.contains(NOT_GSM)


def _is_blank(message: pl.Expr, template: Template | None) -> pl.Expr:
    """Whether a text is blank; it need not be looked at where the template itself says something."""
    said = () if template is None else template.pieces
    if any(isinstance(piece, str) and _without_blanks(piece) for piece in said):
        return pl.lit(value=False)
    return message.str.strip_chars(_BLANKS) == ""


def _without_blanks(text: str) -> str:
    """Return a text without visible and invisible blanks at its ends; look-alikes of blanks are among them."""
    return text.strip(_BLANKS + "\u00ad")


def _missing(template: Template) -> pl.Expr | None:
    """Return the reason of rows without a value for a placeholder that has no default; null for the others."""
    faults = [
        pl.when(pl.col(f"{PREFIX}{column}") == "").then(pl.lit(f"{MessageReason.MISSING}_{column}"))
        for column in _needed(template)
    ]
    return pl.coalesce(faults) if faults else None


def _needed(template: Template) -> tuple[str, ...]:
    """Return the columns that a row must have a value in: those of a placeholder without a default."""
    needed = [template.column_of(p) for p in template.pieces if isinstance(p, Placeholder) and p.default is None]
    return tuple(dict.fromkeys(needed))


def _rendered(template: Template) -> pl.Expr:
    return pl.concat_str(
        [
            pl.lit(piece) if isinstance(piece, str) else _filled(template.column_of(piece), piece.default)
            for piece in template.pieces
        ]
    )


def _filled(column: str, default: str | None) -> pl.Expr:
    value = pl.col(f"{PREFIX}{column}")
    return value if default is None else pl.when(value == "").then(pl.lit(default)).otherwise(value)


def _value(column: str, damaging: str = _DAMAGING) -> pl.Expr:
    """Return the cleaned values of a column; empty ones are empty texts, never null."""
    value = pl.col(f"{PREFIX}{column}").fill_null("")
    return value.str.replace_all(damaging, " ").str.strip_chars(_BLANKS)
