"""The template that `globe-sms policy init` writes: every key with what it means, all of them commented out."""

from textwrap import fill
from typing import Final

from globe_sms.tasks.policy.rules import Budget, Frequency, PolicyRules, Undeliverable

_HEAD: Final = """\
# The policy of this account: standing rules for all campaigns with results in this place.
# A campaign can tighten them but never loosen them. Remove the # from the rules that you want.
# `globe-sms policy check` reads the file and the lists it names; `globe-sms policy show` lists the rules that apply.
"""
_WIDTH: Final = 110


def policy_template() -> str:
    """Return a policy without rules, with an example of each in its comments."""
    parts = [_HEAD]
    for name, field in PolicyRules.model_fields.items():
        lines = [fill(str(field.description), _WIDTH, initial_indent="# ", subsequent_indent="# ")]
        lines += [f"# {example}" for example in _examples(name)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _examples(name: str) -> list[str]:
    if name == "frequency":
        return ["[frequency]", *_keys(Frequency)]
    if name == "undeliverable":
        return ["[undeliverable]", *_keys(Undeliverable)]
    if name == "budget":
        return ["[budget.day]", *_keys(Budget), "[budget.month]", *(f"{key}0" for key in _keys(Budget))]
    return [str(example) for example in PolicyRules.model_fields[name].examples or ()]


def _keys(table: type[Frequency | Undeliverable | Budget]) -> list[str]:
    return [str(example) for field in table.model_fields.values() for example in field.examples or ()]
