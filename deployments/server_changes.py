"""What `globe-sms deploy` did to each object on the Prefect server."""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """Whether the object changed."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """One object on the server, by kind and name; `note` says what changed, or what to know about it."""

    kind: str
    name: str
    effect: Effect
    note: str = ""

    def sentence(self) -> str:
        """Return it as one line."""
        return f"{self.effect} the {self.kind} {self.name!r}"
