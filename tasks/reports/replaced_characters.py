"""What downgrading replaced in the texts of a plan."""

from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.messages import Wording
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.frequent_characters import MOST_CHARACTERS, frequent_characters
from globe_sms.tasks.vocabulary.plurals import counted


@dataclass(frozen=True, slots=True)
class ReplacedCharacters:
    """How many texts had characters replaced, and which (10 at most, the most frequent first)."""

    texts: int
    characters: tuple[str, ...]

    def sentence(self) -> str:
        """Say it in one sentence."""
        shown = " ".join(_named(character) for character in self.characters)
        return f"Plain characters replace these in {counted(self.texts, 'text')}: {shown}."


def count_replaced(plan: FrozenPlan, wording: Wording, sendable: int) -> ReplacedCharacters | None:
    """Count the texts that were changed; None if none was. `sendable` is the number of rows that get a text."""
    if wording.text is not None:
        found = wording.replaced
        return ReplacedCharacters(sendable, found[:MOST_CHARACTERS]) if found and sendable else None
    if not wording.downgrade:
        return None
    found = pl.col("replaced").str.extract_all(r"(?s).").list.unique()
    rows = plan.scan().filter(pl.col("replaced").is_not_null()).select(found.alias("character"))
    texts, characters = frequent_characters(rows)
    return ReplacedCharacters(texts, characters) if texts else None


def _named(character: str) -> str:
    """Show a character with its code point; a blank by its code point alone."""
    code = f"U+{ord(character):04X}"
    return f"{character} ({code})" if character.isprintable() and not character.isspace() else code
