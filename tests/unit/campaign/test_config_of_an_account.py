"""What a configuration leaves to the account."""

from typing import Any

import pytest

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.campaign.config import CampaignConfig

GIVEN: dict[str, Any] = {"recipients": ["a.csv"], "message": "Hello", "type": "NOTIFY", "results": "out"}


def test_without_an_account_the_defaults_are_those_of_a_new_one() -> None:
    config = CampaignConfig.checked(**GIVEN, numbers_per_call=None, calls_per_second=None)
    assert (config.numbers_per_call, config.calls_per_second, config.sender_id) == (250, 1.0, None)
    assert (Account().numbers_per_call, Account().calls_per_second) == (250, 1.0)


def test_what_was_given_goes_before_what_the_account_has() -> None:
    limits = {"numbers_per_call": 1000, "calls_per_second": 5.0, "sender_id": "Acme"}
    config = CampaignConfig.checked(**GIVEN, account="production", numbers_per_call=100)
    settled = config.taking_from(limits)
    assert (settled.numbers_per_call, settled.calls_per_second, settled.sender_id) == (100, 5.0, "Acme")


def test_parameters_give_back_what_was_given() -> None:
    """So that the flow that they are handed to sees what was left to the account."""
    config = CampaignConfig.checked(**GIVEN, account="production", numbers_per_call=100)
    assert config.parameters()["account"] == "production"
    assert config.parameters()["account_and_rate"] == {"numbers_per_call": 100}
    assert CampaignConfig.checked(**config.options()) == config


def test_the_size_of_calls_makes_no_other_campaign() -> None:
    """It decides how the texts are sent, not who gets which; the sender and the opt-out lists do."""
    left = CampaignConfig.checked(**GIVEN).campaign_for(("list",))
    assert left == CampaignConfig.checked(**GIVEN, numbers_per_call=250).campaign_for(("list",))
    assert left == CampaignConfig.checked(**GIVEN, numbers_per_call=100).campaign_for(("list",))
    assert left != CampaignConfig.checked(**GIVEN, sender_id="Acme").campaign_for(("list",))
    assert left != CampaignConfig.checked(**GIVEN, suppress=["out.csv"]).campaign_for(("list",))


@pytest.mark.parametrize("raised", [{"numbers_per_call": 1000}, {"sender_id": "Other"}, {"calls_per_second": 9.0}])
def test_a_raised_limit_of_the_account_does_not_make_another_campaign(raised: dict[str, Any]) -> None:
    """The same command on the same lists, after an upgrade, must not text everyone again."""
    config = CampaignConfig.checked(**GIVEN, account="production")
    assert config.taking_from(raised).campaign_for(("list",)) == config.campaign_for(("list",))
    assert config.campaign_for(("list",)) != CampaignConfig.checked(**GIVEN).campaign_for(("list",))
