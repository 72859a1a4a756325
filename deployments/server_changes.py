"""What deploying has done to one thing on the Prefect server."""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """Whether the server was changed."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing on the server, by its kind and name; `note` says in what it was changed, or what there is to know."""

    kind: str
    name: str
    effect: Effect
    note: str = ""

    def sentence(self) -> str:
        """Say it in one line."""
        return f"{self.effect} the {self.kind} {self.name!r}"
