"""A policy in words, for `globe-sms policy show`, previews and reports."""

import fnmatch
from collections.abc import Iterable
from typing import Final

import polars as pl

from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.policy.rules import Budget, PolicyRules
from globe_sms.tasks.reports.policy_shown import PolicyShown
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

_GLOB: Final = frozenset("*?[")
_OF_COUNTRIES: Final = (RowReason.COUNTRY_DENIED, RowReason.COUNTRY_NOT_ALLOWED)


def rules_in_words(rules: PolicyRules) -> tuple[tuple[str, str], ...]:
    """Return each rule's key and what it says; nothing for a policy without rules."""
    said = {
        "suppress": ", ".join(rules.suppress),
        "hours": "" if rules.hours is None else f"{rules.hours}, by the recipient's clock; codes (OTP) at any time",
        "allow-country": ", ".join(rules.allow_country) and f"only {', '.join(rules.allow_country)}",
        "deny-country": ", ".join(rules.deny_country) and f"never {', '.join(rules.deny_country)}",
        "repeat-after": "" if rules.repeat_after is None else f"nobody gets the same text within {rules.repeat_after}",
        "purge-after": "" if rules.purge_after is None else f"campaigns are erased {rules.purge_after} after their end",
        "least-delivered": ""
        if rules.least_delivered is None
        else f"less than {rules.least_delivered:.0%} delivered is told to automations",
        "approve-above": "" if rules.approve_above is None else _approval(rules.approve_above),
        "frequency": ", ".join(f"at most {each} for a number" for each in rules.frequency),
        "undeliverable": "" if rules.undeliverable is None else f"nobody whose {rules.undeliverable}",
        "budget.day": _budget(rules.budget.day, f"a day ({rules.time_zone})"),
        "budget.month": _budget(rules.budget.month, f"a month ({rules.time_zone})"),
        "prices": rules.prices or "",
    }
    return tuple((key, text) for key, text in said.items() if text)


def show_policy(policy: Policy | None, rows: pl.LazyFrame, budgets: Iterable[str] = ()) -> PolicyShown | None:
    """Return what a page says about a policy, and which rows of a plan or of results it kept back; None without one.

    `rows` has the columns status, reason and region, and is counted in polars' streaming engine.
    """
    if policy is None:
        return None
    return PolicyShown(policy.place, rules_in_words(policy.rules), tuple(budgets), _kept_back(policy.rules, rows))


def _kept_back(rules: PolicyRules, rows: pl.LazyFrame) -> tuple[tuple[str, int], ...]:
    status, reason, region = pl.col("status").cast(pl.String), pl.col("reason"), pl.col("region").cast(pl.String)
    suppressed = status == Status.SUPPRESSED
    kinds: dict[str, pl.Expr] = {}
    if rules.suppress:
        kinds["opted out"] = suppressed & pl.any_horizontal(_is_on(reason, uri) for uri in rules.suppress)
    if rules.frequency:
        kinds["texted too often"] = suppressed & (reason == RowReason.FREQUENCY)
    if rules.undeliverable is not None:
        kinds["undeliverable"] = suppressed & reason.str.starts_with(f"{RowReason.UNDELIVERABLE}:")
    if rules.allow_country or rules.deny_country:
        left_out = region.is_in(rules.deny_country)
        if rules.allow_country:
            left_out = left_out | ~region.is_in(rules.allow_country)
        kinds["in countries that aren't texted"] = reason.is_in(_OF_COUNTRIES) & left_out.fill_null(value=True)
    if not kinds:
        return ()
    kept = rows.select(is_kept.sum().alias(what) for what, is_kept in kinds.items()).collect(engine="streaming")
    return tuple((what, kept[what][0]) for what in kinds if kept[what][0])


def _is_on(reason: pl.Expr, place: str) -> pl.Expr:
    """Return whether a reason is the URI of one of the lists that a place names."""
    uri = place.partition("#")[0]
    if _GLOB & {*uri}:
        return reason.str.contains(fnmatch.translate(uri))
    return (reason == uri) | reason.str.starts_with(f"{uri.rstrip('/')}/")


def _approval(above: int) -> str:
    return "somebody must approve every campaign" if not above else f"approval above {counted(above, 'number')}"


def _budget(budget: Budget, period: str) -> str:
    limits = [
        *([] if budget.numbers is None else [counted(budget.numbers, "number")]),
        *([] if budget.parts is None else [counted(budget.parts, "message part")]),
        *([] if budget.cost is None else [f"a cost of {budget.cost:,.2f}"]),
    ]
    return f"at most {', '.join(limits)} {period}" if limits else ""
