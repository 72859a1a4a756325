"""What Prefect records of a run's parameters, and must not."""

from collections.abc import Mapping
from typing import Any

from globe_sms.tasks.campaign.own_number_option import is_number
from globe_sms.tasks.vocabulary.errors import InputError


def refuse_recorded_numbers(parameters: Mapping[str, Any]) -> None:
    """Refuse own numbers that stand in the parameters of a flow run as they are; stars and the places of lists may.

    Raises:
        InputError: a phone number stands there. The message does not show it.
    """
    given = parameters.get("test_to") or ()
    if any(is_number(str(each)) for each in ([given] if isinstance(given, str) else given)):
        raise InputError(
            "--test-to: Prefect has recorded a phone number among this run's parameters, and nothing was sent. Put "
            "your own numbers into a list and name that, or send the test by `globe-sms send`. From Python, "
            "pydantic.SecretStr(number) hides it from the records."
        )
