"""Renders the text of each row with polars expressions, and rejects rows without a valid text."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from globe_sms.tasks.messages.gsm7_alphabet import (
    NOT_GSM,
    is_gsm,
    look_alikes_in,
    only_look_alikes,
    replace_look_alikes,
    without_look_alikes,
)
from globe_sms.tasks.messages.message_parts import count_parts, parts_of
from globe_sms.tasks.messages.template import Placeholder, Template, parse_template
from globe_sms.tasks.messages.text_choices import TextChoices
from globe_sms.tasks.vocabulary.mark_rows import mark_rows
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

PREFIX: Final = "column:"
"""Prefix of a list's columns in the frame, so that they don't clash with the frame's own columns."""

NULL_MARKER: Final = "null_marker"
TEXT_COLUMNS: Final = ("message", "segments", "replaced", NULL_MARKER)
"""The columns that `add_texts` adds."""

_DAMAGING: Final = (
    r"[\p{Cc}\x{2028}\x{2029}\x{202A}-\x{202E}\x{2066}-\x{2069}]+"  # controls, line ends, direction marks
)
_DAMAGING_IN_TEXTS: Final = r"[\p{Cc}\x{2028}\x{2029}\x{202A}-\x{202E}\x{2066}-\x{2069}--[\n\r]]+"
_BLANKS: Final = (
    " \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)

NULL_MARKERS: Final = ("NULL", "null", r"\N", "nan", "NaN", "None", "#N/A", "NaT", "<NA>")
"""What databases, pandas and spreadsheets write for a missing value."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The source of the texts: a template, a column that holds them, or several templates by variant or language.

    `downgrade` replaces look-alikes for GSM-7.

    Texts are in Unicode's composed form (NFC), in which letters need the fewest parts. With `keep_null_markers` a value
    such as `NULL` is kept; otherwise it counts as missing.
    """

    template: Template | None
    column: str | None
    downgrade: bool
    max_characters: int
    keep_null_markers: bool = False
    choices: TextChoices | None = None

    @classmethod
    def of(
        cls,
        message: str | None,
        column: str | None,
        *,
        downgrade: bool,
        max_characters: int,
        keep_null_markers: bool = False,
        variants: Mapping[str, str] | None = None,
        by_language: Mapping[str, str] | None = None,
        tag_column: str | None = None,
    ) -> Self:
        """Return the source of the texts for a campaign's `message` or `column`, or its texts by variant or language.

        With texts by language the message is for rows whose language has none.

        Raises:
            InputError: a template isn't valid.
        """
        template = None if message is None else _template(message)
        choices = None
        if variants or by_language:
            texts = {name: _template(text) for name, text in (variants or by_language or {}).items()}
            choices = TextChoices(texts) if variants else TextChoices(texts, tag_column, template)
            template = None
        return cls(template, column, downgrade, max_characters, keep_null_markers, choices)

    @property
    def columns(self) -> tuple[str, ...]:
        """The list columns that the texts need."""
        if self.column is not None:
            return (self.column,)
        if self.choices is not None:
            return self.choices.columns
        return () if self.template is None else self.template.columns

    @property
    def replaced(self) -> tuple[str, ...]:
        """The characters that downgrading replaces in what every row reads, each once, the most frequent first."""
        text = None if self.template is None else self.template.text
        return () if text is None or not self.downgrade else look_alikes_in(text)

    @property
    def text(self) -> str | None:
        """The text that all rows get; None if it depends on the row."""
        text = None if self.template is None else self.template.text
        if text is None or not self.downgrade:
            return text
        return replace_look_alikes(text)

    @property
    def parts(self) -> int | None:
        """How many parts the text has that all rows get; None if it depends on the row."""
        text = self.text
        return None if text is None else parts_of(text)

    @property
    def plan_columns(self) -> tuple[str, ...]:
        """The columns of a plan about its rows' texts; none if all rows get the same one."""
        if self.text is not None:
            return ()
        return TEXT_COLUMNS if self.choices is None else (*TEXT_COLUMNS, self.choices.column)


def _template(text: str) -> Template:
    return parse_template(unicodedata.normalize("NFC", text))


def add_texts(rows: pl.LazyFrame, wording: Wording) -> pl.LazyFrame:
    """Add `TEXT_COLUMNS` to validated rows; reject rows that can't have a text.

    `rows` has the columns of `wording`, each named `PREFIX` and its name, beside `status` and `reason`. Rows that have
    a status already keep it. Without a value: `invalid`, `missing_<column>`; without a text or with one that is too
    long: `message_empty`, `message_too_long`. `message`, `segments` (UInt16) and `replaced` are null in
    rows that are not sent. `replaced` (String) holds the characters that downgrading replaced, in order; null if there
    were none. Texts of variants need the column `variant`; for texts by language, `language` is added, too.
    `null_marker` (String) is the marker that counts as a missing value in a row that had no status before.
    """
    if wording.column is not None:
        rows = rows.with_columns(message=_value(wording.column, _DAMAGING_IN_TEXTS))
        rows = _without_null_markers(rows, ["message"], wording)
        missing = None
    else:
        # Clean each column in a step of its own: polars shares repeated expressions only within one step.
        rows = rows.with_columns(_value(column).alias(f"{PREFIX}{column}") for column in wording.columns)
        rows = _without_null_markers(rows, [f"{PREFIX}{column}" for column in wording.columns], wording)
        rows, missing = _with_messages(rows, wording)
    message = pl.col("message")
    if wording.downgrade:
        rows = rows.with_columns(replaced=only_look_alikes(message), message=without_look_alikes(message))
    else:
        rows = rows.with_columns(replaced=pl.lit(None, dtype=pl.String))
    faults = [] if missing is None else [missing]
    faults.append(
        pl.when(_is_blank(message, wording.template))
        .then(pl.lit(RowReason.MESSAGE_EMPTY))
        .when(message.str.len_chars() > wording.max_characters)
        .then(pl.lit(RowReason.MESSAGE_TOO_LONG))
    )
    rows = rows.with_columns(fault=pl.coalesce(faults))
    return (
        mark_rows(rows, pl.col("fault").is_not_null(), Status.INVALID, pl.col("fault"))
        .with_columns(pl.when(pl.col("status").is_null()).then(pl.col("message", "replaced")))
        .with_columns(segments=count_parts(message, _gsm(wording)))
        .drop("fault")
    )


def _with_messages(rows: pl.LazyFrame, wording: Wording) -> tuple[pl.LazyFrame, pl.Expr | None]:
    """Render the templates; return the rows, and the reason of those that lack a value or a text of their language."""
    choices = wording.choices
    if choices is None:
        template = wording.template or Template(())
        return rows.with_columns(message=_rendered(template)), _missing(template)
    missing = choices.of_each_row(_missing)
    if choices.tag_column is not None:
        language = choices.language_of(pl.col(f"{PREFIX}{choices.tag_column}"))
        rows = rows.with_columns(language.alias(choices.column))
        no_text = pl.lit(f"{RowReason.MISSING}_{choices.tag_column}")
        missing = pl.when(pl.col(choices.column).is_null()).then(no_text).otherwise(missing)
    return rows.with_columns(message=choices.of_each_row(_rendered)), missing


def _gsm(wording: Wording) -> pl.Expr | None:
    """Return which texts fit GSM-7, judged by the values alone; None if the template's own text decides too."""
    if wording.template is None or wording.downgrade:
        return None
    said = "".join(piece if isinstance(piece, str) else piece.default or "" for piece in wording.template.pieces)
    if not is_gsm(said):
        return None
    values = [pl.col(f"{PREFIX}{column}") for column in wording.template.columns]
    return ~pl.concat_str(values).str.contains(NOT_GSM)


def _is_blank(message: pl.Expr, template: Template | None) -> pl.Expr:
    """Whether a text is blank; no text of a template with visible words is."""
    said = () if template is None else template.pieces
    if any(isinstance(piece, str) and _without_blanks(piece) for piece in said):
        return pl.lit(value=False)
    return message.str.strip_chars(_BLANKS) == ""


def _without_blanks(text: str) -> str:
    """Strip blanks from both ends of a text, including invisible ones and look-alikes."""
    return text.strip(_BLANKS + "\u00ad")


def _missing(template: Template) -> pl.Expr | None:
    """Return the reason of rows that lack a value for a placeholder without a default; null for the others."""
    faults = [
        pl.when(pl.col(f"{PREFIX}{column}") == "").then(pl.lit(f"{RowReason.MISSING}_{column}"))
        for column in _needed(template)
    ]
    return pl.coalesce(faults) if faults else None


def _needed(template: Template) -> tuple[str, ...]:
    """Return the columns of placeholders without a default: a row must have a value in each."""
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
    """Return the cleaned values of a column; missing ones become empty texts, never null."""
    value = pl.col(f"{PREFIX}{column}").fill_null("")
    value = value.str.replace_all(damaging, " ").str.strip_chars(_BLANKS)
    return value.map_batches(_composed, return_dtype=pl.String, is_elementwise=True)


def _without_null_markers(rows: pl.LazyFrame, columns: Sequence[str], wording: Wording) -> pl.LazyFrame:
    """Empty the values that are markers of a missing one, and keep a row's first marker as `NULL_MARKER`."""
    if wording.keep_null_markers:
        return rows.with_columns(pl.lit(None, pl.String).alias(NULL_MARKER))
    is_marker = {column: pl.col(column).is_in(NULL_MARKERS) for column in columns}
    first = pl.coalesce([pl.when(found).then(pl.col(column)) for column, found in is_marker.items()])
    return rows.with_columns(
        *(pl.when(found).then(pl.lit("")).otherwise(column).alias(column) for column, found in is_marker.items()),
        pl.when(pl.col("status").is_null()).then(first).alias(NULL_MARKER),
    )


def _composed(values: pl.Series) -> pl.Series:
    """Return values in Unicode's composed form (NFC); ASCII, as most batches are, already has it."""
    is_ascii = values.str.len_bytes().sum() == values.str.len_chars().sum()
    return values if is_ascii else values.str.normalize("NFC")
