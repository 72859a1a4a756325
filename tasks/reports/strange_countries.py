"""Finds countries whose numbers all lack a plus sign, and which may be national numbers of another country.

An Indonesian number that lost its zero, 812..., reads as a Japanese one, +81 2....
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import polars as pl

from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.numbers.libphonenumber import validate_text
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.vocabulary.plurals import counted

_FEWEST: Final = 2
_MOST_COUNTRIES: Final = 5
_SAMPLE: Final = 100
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class StrangeCountry:
    """A region whose numbers, all of them without a plus sign, may be national numbers of the region `perhaps`."""

    region: str
    rows: int
    perhaps: str

    def sentence(self) -> str:
        """Say what is odd, and what to do."""
        found, other = country(self.region), country(self.perhaps)
        return (
            f"{counted(self.rows, 'number')} without a plus sign read as numbers of {found.name} (+{found.code}), "
            f"and the lists have no others there. They may be numbers of {other.name} without its country code: if so, "
            f"give the country of such numbers with --default-region {self.perhaps}."
        )


def find_strange_countries(
    plan: FrozenPlan, regions: Sequence[tuple[str | None, int, int]]
) -> tuple[StrangeCountry, ...]:
    """Return the odd ones among the regions: each with its valid numbers, and how many of them have a plus sign."""
    main, most, _ = max(regions, key=itemgetter(1), default=(None, 0, 0))
    if main is None:
        return ()
    odd = [
        (region, rows)
        for region, rows, with_plus in sorted(regions, key=itemgetter(1), reverse=True)
        if region is not None and not with_plus and _FEWEST <= rows < most
    ]
    return tuple(
        StrangeCountry(region, rows, main) for region, rows in odd[:_MOST_COUNTRIES] if _may_be_of(plan, region, main)
    )


def _may_be_of(plan: FrozenPlan, region: str, main: str) -> bool:
    rows = plan.scan().filter(pl.col("phone_number").is_not_null(), pl.col("region") == region)
    texts = rows.select("recipient").head(_SAMPLE).collect(engine="streaming")["recipient"].to_list()
    fitting = [
        text for text in texts if (verdict := validate_text(text, main)).status is None and verdict.region == main
    ]
    return len(fitting) >= _HALF * len(texts)
