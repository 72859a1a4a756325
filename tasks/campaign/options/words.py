"""The options' names in a message, in the reader's words: the terminal's, the form's or Python's."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from globe_sms.tasks.campaign.options.declaration import not_in_form
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.campaign.options.merged_fields import MERGED
from globe_sms.tasks.vocabulary.buttons import in_button_words

_OPTION_OF: Final = {
    "recipients": "recipients",
    "sender_by_country": "--sender-id",
    "numbers_override_sha256": "--numbers-override",
    "test_to_sha256": "--test-to",
    "query_sha256": "--query",
}
_SUBJECT: Final = re.compile(r"^--([a-z][a-z-]*[a-z])(?=:|$| )|^recipients(?=:)", re.MULTILINE)
_OPTION: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z])|^recipients(?=:)", re.MULTILINE)

_TWICE: Final = re.compile(r'\b([\w ]+) \("\1"\)', re.IGNORECASE)  # the hours ("Hours")


def option_of(setting: str) -> str:
    """Return the option that a setting is given with."""
    return _OPTION_OF.get(setting, "--" + setting.replace("_", "-"))


def in_form_words(message: str) -> str:
    """Name the form's fields and buttons where the message names options and commands.

    "Cap" for `--max-cost`, the button Retry for running the same command again. A line about one option begins with its
    field's title, without quotes.
    """
    named = _SUBJECT.sub(lambda found: _names().get(_name(found), (found[0],))[0], in_button_words(message))
    return _TWICE.sub(r"\1", _OPTION.sub(lambda found: _names().get(_name(found), (found[0],))[-1], named))


def in_python_words(message: str) -> str:
    """Name the arguments where the message names options: `max_cost` for `--max-cost`."""
    return _OPTION.sub(_name, message)


@cache
def _names() -> Mapping[str, tuple[str, str]]:
    """Return what each option is called in the form: at the start of a line, and within a sentence."""
    titles = {field.name: field.title for field in MERGED}
    models = (EveryCampaign, *(group.options for group in GROUPS))
    names: dict[str, tuple[str, str]] = {}
    for name, field in ((name, field) for model in models for name, field in model.model_fields.items()):
        said = not_in_form(field)
        names[name] = (
            (str(field.title), f'"{field.title}"') if said is None else (titles.get(said.field, said.words), said.words)
        )
    return names


def _name(found: re.Match[str]) -> str:
    return (found[1] or found[0]).replace("-", "_")
