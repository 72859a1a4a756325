"""What campaign.json says of a campaign to those who don't run it."""

from typing import Any

import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.frozen_settings import frozen_wording, is_test
from globe_sms.tasks.vocabulary.errors import InputError


@pytest.mark.parametrize(
    "options",
    [
        {"message": "Hello"},
        {"message": "Hi {name}", "keep_null_markers": True, "downgrade": True},
        {"message_column": "text", "max_characters": 70},
    ],
    ids=["one text", "a template", "a column"],
)
def test_the_texts_are_those_of_the_run(options: dict[str, Any]) -> None:
    """Every option that decides about them is frozen and read again."""
    config = CampaignConfig.checked(recipients=("list.csv",), type="NOTIFY", results="out", **options)
    assert frozen_wording("camp", config.frozen_settings()) == config.wording


def test_settings_without_a_text_are_refused() -> None:
    """Nobody may take that for a text that differs from all others."""
    with pytest.raises(InputError, match="'camp' have neither a message nor a column"):
        frozen_wording("camp", {"type": "NOTIFY", "message": ""})


def test_a_test_is_known_by_its_numbers() -> None:
    """Their digest stands in the settings of a test alone."""
    config = CampaignConfig.checked(recipients=("list.csv",), type="NOTIFY", results="out", message="Hello")
    assert not is_test(config.frozen_settings())
    assert is_test(config.testing([6581234567]).frozen_settings())
