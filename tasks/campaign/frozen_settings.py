"""What the settings in campaign.json say, for readers that don't run the campaign."""

from collections.abc import Mapping
from typing import Any

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY
from globe_sms.tasks.campaign.options.every_campaign import LONGEST_MESSAGE
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.vocabulary.errors import InputError


def frozen_wording(campaign: str, settings: Mapping[str, Any]) -> Wording:
    """Return where a campaign's texts come from.

    Raises:
        InputError: the settings name no text.
    """
    message, column = settings.get("message") or None, settings.get("message_column")
    if message is None and column is None:
        raise InputError(
            f"the settings of campaign {campaign!r} have neither a message nor a column of texts: restore the latest "
            f"version of its {DOCUMENT_KEY}."
        )
    return Wording.of(
        message,
        column,
        downgrade=bool(settings.get("downgrade", False)),
        max_characters=int(settings.get("max_characters", LONGEST_MESSAGE)),
        keep_null_markers=bool(settings.get("keep_null_markers", False)),
    )


def is_test(settings: Mapping[str, Any]) -> bool:
    """Whether a campaign went to the operator's own numbers: then it counts for nobody else."""
    return settings.get("test_to_sha256") is not None
