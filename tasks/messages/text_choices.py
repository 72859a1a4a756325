"""Several texts of one campaign, of which each row gets one: that of its variant, or that of its language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from globe_sms.tasks.messages.template import Template

VARIANT: Final = "variant"
LANGUAGE: Final = "language"
CHOICES: Final = (VARIANT, LANGUAGE)
"""The columns that say which of the texts a row has; a plan has one of them at most."""
OTHERS: Final = "*"
"""What the column of languages says of rows that get the default text."""

_SUFFIX: Final = r"[.@].*$"  # of a POSIX locale: en_GB.UTF-8


@dataclass(frozen=True, slots=True)
class TextChoices:
    """The texts by name: of variants, or by language tag (BCP 47).

    Attributes:
        texts: a template for each name.
        tag_column: the list's column of language tags; None for variants.
        default: for rows whose tag has no text; None if they get none.
    """

    texts: Mapping[str, Template]
    tag_column: str | None = None
    default: Template | None = None

    @property
    def column(self) -> str:
        """The column that says which text a row has."""
        return VARIANT if self.tag_column is None else LANGUAGE

    @property
    def templates(self) -> tuple[Template, ...]:
        """All templates, in order; the default comes last."""
        return (*self.texts.values(), *(() if self.default is None else (self.default,)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The list columns that the texts need, and the one of the tags."""
        tags = () if self.tag_column is None else (self.tag_column,)
        return tuple(dict.fromkeys([*tags, *(column for each in self.templates for column in each.columns)]))

    def of_each_row(self, make: Callable[[Template], pl.Expr | None]) -> pl.Expr:
        """Return what `make` makes of the template that a row has; null where it makes nothing."""
        made = {name: make(template) for name, template in self.texts.items()}
        if self.default is not None:
            made[OTHERS] = make(self.default)
        return pl.coalesce(
            [pl.when(pl.col(self.column) == name).then(each) for name, each in made.items() if each is not None]
            or [pl.lit(None, pl.String)]
        )

    def language_of(self, tags: pl.Expr) -> pl.Expr:
        """Return the tag among `texts` that a row's tag stands for, `OTHERS` for the default, and null for none.

        `en-GB` has the text of `en` if it has none of its own, as in RFC 4647, 3.4 (lookup). Case doesn't matter, and
        `en_GB.UTF-8` is `en-GB`.
        """
        tag = tags.str.to_lowercase().str.replace(_SUFFIX, "").str.replace_all("_", "-", literal=True)
        longest_first = sorted(self.texts, key=lambda name: -name.count("-"))
        matches = [(name, name.lower()) for name in longest_first]
        found = [
            pl.when((tag == lower) | tag.str.starts_with(f"{lower}-")).then(pl.lit(name)) for name, lower in matches
        ]
        return pl.coalesce([*found, pl.lit(OTHERS if self.default is not None else None, pl.String)])
