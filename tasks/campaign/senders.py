"""Who a text is from: one sender ID for all, or one a country, since many countries want a registered one."""

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
    """Sender IDs by region (ISO 3166 alpha-2), and `usual` for all other numbers; None: Alibaba chooses."""

    usual: str | None = None
    by_region: Mapping[str, str] = field(default_factory=dict[str, str])

    def of(self, region: str | None) -> str | None:
        """Return the sender ID for numbers of a region; None is that of numbers that belong to none."""
        return self.usual if region is None else self.by_region.get(region, self.usual)

    def __str__(self) -> str:
        """Name them all, as one writes them."""
        if not self.by_region:
            return self.usual or ""
        usual = [f"{ALL_OTHERS}={self.usual}"] if self.usual else []
        return ", ".join([*(f"{region}={sender}" for region, sender in self.by_region.items()), *usual])


def split_senders(given: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
    """Take `Acme`, `*=Acme` and `SG=Acme` apart, unchecked: the one for all others, and the rules by country.

    A second one for all others stays among the rules, for `check_rules` to refuse it.
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
    """Return rules such as `sg=Acme` as they are frozen: `SG=Acme`, in the order of the countries.

    Raises:
        ValueError: a country is unknown or stands twice, or a sender ID is none.
    """
    found: dict[str, str] = {}
    for rule in rules:
        country, _, sender = rule.rpartition("=")
        region = _region(country)
        if region in found:
            raise ValueError(f"{region} has two sender IDs: give one")
        found[region] = check_sender_id(sender)
    return tuple(f"{region}={sender}" for region, sender in sorted(found.items()))


def senders_of(usual: str | None, rules: Iterable[str]) -> Senders:
    """Return the senders of checked rules."""
    return Senders(usual, dict(rule.split("=", 1) for rule in rules))


def _region(country: str) -> str:
    country = country.strip()
    if country == ALL_OTHERS:
        raise ValueError("all other countries have two sender IDs: give one")
    try:
        return checked_region(country) or ""
    except InputError:
        raise ValueError(
            f"there is no country {mask_typed(country)!r}: write SG=Acme with two letters of ISO 3166, "
            "*=Acme for all others"
        ) from None
