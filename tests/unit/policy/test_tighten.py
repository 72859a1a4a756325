"""A policy tightens a campaign and never loosens it; what the campaign's own options froze stays."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.policy.rules import PolicyRules
from globe_sms.tasks.policy.tighten import tightened
from globe_sms.tasks.vocabulary.errors import InputError

GIVEN: dict[str, Any] = {"recipients": ["a.csv"], "message": "Hello", "results": "out"}
COUNTRIES = ("DE", "FR", "GB", "SG")
HOURS = ("09:00-20:00", "20:00-10:00", "00:00-12:00", "19:30-21:00", "10:00-13:00, 14:00-18:00")


def config(**options: Any) -> CampaignConfig:
    return CampaignConfig.checked(**{**GIVEN, "type": "MKT"} | options)


def policy(**rules: Any) -> Policy:
    written = {name.replace("_", "-"): value for name, value in rules.items() if value is not None}
    return Policy("policy.toml", None, "digest", PolicyRules.model_validate(written))


def is_texted(region: str, found: CampaignConfig) -> bool:
    return region not in found.deny_country and (not found.allow_country or region in found.allow_country)


_countries = st.sets(st.sampled_from(COUNTRIES)).map(tuple)
_hours = st.none() | st.sampled_from(HOURS)
_limit = st.none() | st.integers(0, 5)
_lists = st.lists(st.sampled_from(["a.csv", "b.csv", "c.csv"]), unique=True)
_said = st.fixed_dictionaries(
    {
        "hours": _hours,
        "allow_country": _countries,
        "deny_country": _countries,
        "approve_above": _limit,
        "suppress": _lists,
    }
)


@given(_said, _said)
def test_what_holds_is_at_least_as_tight_as_the_campaign_and_as_the_policy(
    own: dict[str, Any], rules: dict[str, Any]
) -> None:
    alone, under = config(**own), policy(**rules)
    try:
        found = tightened(alone, under)
    except InputError:
        return
    for country in COUNTRIES:
        by_policy = country not in rules["deny_country"] and (
            not rules["allow_country"] or country in rules["allow_country"]
        )
        assert is_texted(country, found) == (is_texted(country, alone) and by_policy)
    for hour in range(24):
        at = hour * 3_600.0 + 1_800
        is_open = [
            hours is None or hours.is_open(["UTC"], at)
            for hours in (alone.quiet_hours, under.rules.open_hours, found.quiet_hours)
        ]
        assert is_open[2] == (is_open[0] and is_open[1])
    assert {*found.suppress} == {*own["suppress"], *rules["suppress"]}
    limits = [limit for limit in (own["approve_above"], rules["approve_above"]) if limit is not None]
    assert found.approve_above == min(limits, default=None)
    assert found.frozen_settings() == alone.frozen_settings()


def test_hours_without_any_in_common_are_refused() -> None:
    with pytest.raises(InputError, match=r"--hours 21:00-23:00: the policy policy\.toml allows only 09:00-20:00"):
        tightened(config(hours="21:00-23:00"), policy(hours="09:00-20:00"))


def test_countries_without_any_in_common_are_refused() -> None:
    """Nothing in common isn't "all countries"."""
    with pytest.raises(InputError, match=r"--allow-country DE, FR: the policy policy\.toml allows only SG"):
        tightened(config(allow_country=["FR", "DE"]), policy(allow_country=["SG"]))


def test_codes_and_tests_have_no_hours() -> None:
    """They can't wait; the policy's hours are about them as little as the campaign's own."""
    hours = policy(hours="09:00-20:00")
    assert tightened(config(type="OTP", hours="21:00-22:00"), hours).quiet_hours is None
    assert tightened(config(test_to=["own.csv"], hours="21:00-22:00"), hours).quiet_hours is None
    assert str(tightened(config(), hours).quiet_hours) == "09:00-20:00"


def test_the_campaigns_prices_go_before_the_policys() -> None:
    assert tightened(config(prices="own.csv"), policy(prices="theirs.csv")).prices == "own.csv"
    assert tightened(config(), policy(prices="theirs.csv")).prices == "theirs.csv"


@pytest.mark.parametrize(
    ("own", "policys", "holds"), [("0", "7d", "7d"), ("20h", "1h", "20h"), ("8d", "7d", "8d"), ("20h", None, "20h")]
)
def test_of_two_repeat_windows_the_longer_one_holds(own: str, policys: str | None, holds: str) -> None:
    """`--repeat-after 0` doesn't switch off the policy's."""
    assert tightened(config(repeat_after=own), policy(repeat_after=policys)).repeat_after == holds


def test_without_a_policy_nothing_changes() -> None:
    alone = config(hours="09:00-20:00")
    assert tightened(alone, None) is alone
