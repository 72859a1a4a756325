"""The several texts of a plan in figures: how many numbers get each, in how many parts, and what that costs."""

from dataclasses import dataclass

import polars as pl

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.messages import LANGUAGE, OTHERS, VARIANT
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.cost import Cost, costs_by
from globe_sms.tasks.reports.page_blocks import Table
from globe_sms.tasks.reports.percentages import percent
from globe_sms.tasks.reports.prices import Prices


@dataclass(frozen=True, slots=True)
class TextFigures:
    """One of several texts.

    Attributes:
        name: of its variant, or its language tag; `OTHERS` for the text of other languages.
        share: of the numbers that it was to get (0 to 1); None for a language.
        numbers: that get it.
        parts: that these have together.
        cost: of these; None without prices.
    """

    name: str
    share: float | None
    numbers: int
    parts: int
    cost: Cost | None = None


def count_texts(plan: FrozenPlan, config: CampaignConfig, prices: Prices | None) -> tuple[TextFigures, ...]:
    """Count the sendable rows of each text, in the order of the options; none if a campaign has one text."""
    choices = config.wording.choices
    if choices is None:
        return ()
    sent = plan.scan().filter(pl.col("status").is_null())
    counted = sent.group_by(choices.column).agg(pl.len(), pl.col("segments").cast(pl.UInt64).sum())
    found = {name: (numbers, parts) for name, numbers, parts in counted.collect(engine="streaming").iter_rows()}
    shares = {variant.name: variant.share for variant in config.variants}
    costs = {} if prices is None else costs_by(choices.column, sent, prices)
    nothing = None if prices is None else Cost(prices.currency, ())
    names = (*choices.texts, *(() if choices.default is None else (OTHERS,)))
    return tuple(
        TextFigures(name, shares.get(name), *found.get(name, (0, 0)), costs.get(name, nothing)) for name in names
    )


def in_words(name: str, column: str) -> str:
    """Return how people read the name of a text: `Variant A`, `de`, `other languages`."""
    if column == VARIANT:
        return f"Variant {name}"
    return "other languages" if name == OTHERS else name


def texts_table(texts: tuple[TextFigures, ...]) -> Table:
    """Return a row for each text."""
    are_variants = texts[0].share is not None
    has_cost = texts[0].cost is not None
    rows = [
        (
            f"{each.numbers:,}",
            f"{each.parts:,}",
            *((str(each.cost),) if has_cost else ()),
            *((percent(each.share or 0.0),) if are_variants else ()),
            each.name if are_variants else in_words(each.name, LANGUAGE),
        )
        for each in texts
    ]
    columns = ("numbers", "parts", *(("cost",) if has_cost else ()), *(("share",) if are_variants else ()))
    name, heading = ("variant", "Numbers by variant") if are_variants else ("language", "Numbers by language")
    return Table(heading, (*columns, name), tuple(rows), numeric=frozenset(range(len(columns))))
