"""What campaign.json says of a campaign's texts to those who don't run it."""

from typing import Any

import pytest

from globe_sms.tasks.campaign.config import CampaignConfig, wording_of
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
    assert wording_of(config.frozen_settings()) == config.wording


def test_settings_without_a_text_are_refused() -> None:
    """Nobody may take that for a text that differs from all others."""
    with pytest.raises(InputError, match="neither a message nor a column"):
        wording_of({"type": "NOTIFY", "message": ""})
