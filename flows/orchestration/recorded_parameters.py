"""Prefect records a run's parameters, and phone numbers must not be among them."""

from collections.abc import Mapping
from typing import Any

from globe_sms.tasks.campaign.own_number_option import is_number
from globe_sms.tasks.vocabulary.errors import InputError


def refuse_recorded_numbers(parameters: Mapping[str, Any]) -> None:
    """Refuse phone numbers among the recorded test numbers; a list's place may be recorded, and so may stars.

    Raises:
        InputError: a phone number was recorded. The message doesn't repeat it.
    """
    given = parameters.get("test_to") or ()
    if any(is_number(str(each)) for each in ([given] if isinstance(given, str) else given)):
        raise InputError(
            "Test numbers: Prefect has recorded a phone number with this run. Nothing was sent. Put your own numbers "
            "in a list and enter where that list is, or send the test with `globe-sms send`. From Python, "
            "pydantic.SecretStr(number) keeps a number out of the records."
        )
