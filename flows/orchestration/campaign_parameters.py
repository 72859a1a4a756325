"""The parameters of a run: its configuration, and what Prefect must not record of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.date_placeholders import fill_options
from globe_sms.tasks.campaign.options.flow_parameters import flatten_options
from globe_sms.tasks.campaign.options.own_numbers import is_number
from globe_sms.tasks.campaign.options.words import in_form_words, in_python_words
from globe_sms.tasks.vocabulary.errors import InputError


def campaign_config(options: Mapping[str, Any], scheduled: datetime, *, from_form: bool) -> CampaignConfig:
    """Return the configuration of this run, with its dates filled in; `scheduled` is when it was to start.

    Raises:
        InputError: with a line for each option that is wrong, named as in the form, or as in Python if not `from_form`.
    """
    try:
        return CampaignConfig.checked(**fill_options(options, scheduled), scheduled=scheduled)
    except InputError as error:
        in_words = in_form_words if from_form else in_python_words
        raise InputError(in_words(str(error))) from None


def refuse_recorded_numbers(parameters: Mapping[str, Any]) -> None:
    """Refuse phone numbers among the recorded test numbers; a list's place may be recorded, and so may stars.

    Raises:
        InputError: a phone number was recorded. The message doesn't repeat it.
    """
    given = flatten_options(parameters).get("test_to") or ()
    if any(is_number(str(each)) for each in ([given] if isinstance(given, str) else given)):
        raise InputError(
            "Test numbers: Prefect has recorded a phone number with this run. Nothing was sent. Put your own numbers "
            "in a list and enter where that list is, or send the test with `globe-sms send`. From Python, "
            "pydantic.SecretStr(number) keeps a number out of the records."
        )
