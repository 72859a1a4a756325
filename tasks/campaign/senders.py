"""The sender ID of a text: one for all numbers, or one per country, since many countries require registration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from globe_sms.tasks.gateway import check_sender_id
from globe_sms.tasks.numbers import checked_region
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

ALL_OTHERS: Final = "*"


@dataclass(frozen=True, slots=True)
class Senders:
    """Sender IDs by region (ISO 3166 alpha-2), and `usual` for all other numbers; with None, Alibaba chooses."""

    usual: str | None = None
    by_region: Mapping[str, str] = field(default_factory=dict[str, str])

    def of(self, region: str | None) -> str | None:
        """Return the sender ID for a region's numbers; a region of None means numbers without one."""
        return self.usual if region is None else self.by_region.get(region, self.usual)

    def __str__(self) -> str:
        """Return all sender IDs as users write them."""
        if not self.by_region:
            return self.usual or ""
        usual = [f"{ALL_OTHERS}={self.usual}"] if self.usual else []
        return ", ".join([*(f"{region}={sender}" for region, sender in self.by_region.items()), *usual])


def split_senders(given: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
    """Split `Acme`, `*=Acme` and `SG=Acme` into the sender ID for all others and the rules by country, unchecked.

    A second sender ID for all others stays among the rules, so that `check_rules` refuses it.
    """
    usual: str | None = None
    rules: list[str] = []
    for text in given:
        country, is_rule, sender = text.rpartition("=")
        if is_rule and country.strip() != ALL_OTHERS:
            rules.append(text)
        elif usual is None:
            usual = sender
        else:
            rules.append(f"{ALL_OTHERS}={sender}")
    return usual, tuple(rules)


def check_rules(rules: Iterable[str]) -> tuple[str, ...]:
    """Return rules such as `sg=Acme` in their frozen form: `SG=Acme`, sorted by country.

    Raises:
        ValueError: a country is unknown or repeated, or a sender ID isn't valid.
    """
    found: dict[str, str] = {}
    for rule in rules:
        country, _, sender = rule.rpartition("=")
        region = _region(country)
        if region in found:
            raise ValueError(f"{region} has two sender IDs: keep one")
        found[region] = check_sender_id(sender)
    return tuple(f"{region}={sender}" for region, sender in sorted(found.items()))


def senders_of(usual: str | None, rules: Iterable[str]) -> Senders:
    """Return the senders of checked rules."""
    return Senders(usual, dict(rule.split("=", 1) for rule in rules))


def _region(country: str) -> str:
    country = country.strip()
    if country == ALL_OTHERS:
        raise ValueError("all other countries have two sender IDs: keep one")
    try:
        return checked_region(country) or ""
    except InputError:
        raise ValueError(
            f"the country {mask_typed(country)!r} is unknown: write SG=Acme with a two-letter code of ISO 3166, or "
            "*=Acme for all others"
        ) from None
