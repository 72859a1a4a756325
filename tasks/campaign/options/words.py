"""The options' names in a message, in the reader's words: the terminal's, the form's or Python's."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.vocabulary.buttons import in_button_words

_OPTION_OF: Final = {
    "recipients": "recipients",
    "sender_by_country": "--sender-id",
    "numbers_override_sha256": "--numbers-override",
    "test_to_sha256": "--test-to",
    "query_sha256": "--query",
}
_SUBJECT: Final = re.compile(r"^--([a-z][a-z-]*[a-z])(?=:|$| ')|^recipients(?=:)", re.MULTILINE)
_OPTION: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z])|^recipients(?=:)", re.MULTILINE)


def option_of(setting: str) -> str:
    """Return the option that a setting is given with."""
    return _OPTION_OF.get(setting, "--" + setting.replace("_", "-"))


def in_form_words(message: str) -> str:
    """Name the form's fields and buttons where the message names options and commands.

    "Highest cost" for `--max-cost`, the button Retry for running the same command again. A line about one
    option begins with its field's title, without quotes.
    """
    named = _SUBJECT.sub(lambda found: _titles().get(_name(found), found[0]), in_button_words(message))
    return _OPTION.sub(lambda found: f'"{title}"' if (title := _titles().get(_name(found))) else found[0], named)


def in_python_words(message: str) -> str:
    """Name the arguments where the message names options: `max_cost` for `--max-cost`."""
    return _OPTION.sub(_name, message)


@cache
def _titles() -> Mapping[str, str]:
    models = (EveryCampaign, *(group.options for group in GROUPS))
    return {name: str(field.title) for model in models for name, field in model.model_fields.items()}


def _name(found: re.Match[str]) -> str:
    return (found[1] or found[0]).replace("-", "_")
