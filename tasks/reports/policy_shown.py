"""What previews and reports say about the policy: where it is, its rules, and what it kept back."""

from dataclasses import dataclass

from globe_sms.tasks.vocabulary.plurals import counted


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """A policy in words.

    Attributes:
        place: the URI of its file.
        rules: each rule's name and what it says.
        budgets: what is left of each budget, a sentence each.
        kept_back: how many rows it kept back, by what for; only those above 0.
    """

    place: str
    rules: tuple[tuple[str, str], ...] = ()
    budgets: tuple[str, ...] = ()
    kept_back: tuple[tuple[str, int], ...] = ()

    def sentence(self) -> str:
        """Name the policy and say what it kept back."""
        rows = sum(rows for _, rows in self.kept_back)
        if not rows:
            return f"The policy {self.place} applies; it keeps back no rows."
        why = ", ".join(f"{rows:,} {what}" for what, rows in self.kept_back)
        return f"The policy {self.place} applies; it keeps back {counted(rows, 'row')}: {why}."
