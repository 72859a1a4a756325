"""How the settings of two runs differ, in the words of the options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from globe_sms.tasks.campaign.campaign_json import CampaignDocument
from globe_sms.tasks.campaign.options.words import option_of
from globe_sms.tasks.campaign.senders import senders_of
from globe_sms.tasks.vocabulary.errors import InputError

OF_THE_TEXT: Final = ("message", "message_column", "variant", "message_by_language", "language_column")
"""The settings that hold a campaign's text, or name where it is."""

_SENDERS: Final = ("sender_id", "sender_by_country")
_BY_CONTENT: Final = ("numbers_override_sha256", "test_to_sha256", "query_sha256")
_NOT_GIVEN: Final = "not given"
_NOTHING: Final[tuple[object, ...]] = (None, "", [], ())


@dataclass(frozen=True, slots=True)
class Difference:
    """An option that differs; the values as they're shown."""

    option: str
    before: str
    now: str

    def __str__(self) -> str:
        """Return a line about it."""
        return f"{self.option}: was {self.before}, now {self.now}"


def setting_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return how frozen settings differ, sorted by option; both are those of `CampaignConfig.frozen_settings`."""
    names = sorted({*before, *now}, key=option_of)
    found: dict[str, Difference] = {}
    for name in names:
        if before.get(name) == now.get(name):
            continue
        option = option_of(name)
        if name in _SENDERS:
            shown = _senders(before), _senders(now)
        elif name in _BY_CONTENT:
            shown = _content(before.get(name), "given"), _content(now.get(name), "given with other content")
        else:
            shown = _value(before.get(name)), _value(now.get(name))
        found[option] = Difference(option, *shown)
    return tuple(found.values())


def refuse_differences(document: CampaignDocument, given: Mapping[str, Any]) -> None:
    """Refuse to go on with a campaign whose sending has begun with other settings.

    Raises:
        InputError: they differ; the message lists how.
    """
    # Of an erased text only the hash is left, and nobody gets it any more.
    erased = {} if document.erased_at is None else {name: given.get(name) for name in OF_THE_TEXT}
    differences = setting_differences({**document.settings, **erased}, given)
    if differences:
        raise InputError(
            f"campaign {document.campaign!r} was started with other settings, which can't change once texts have "
            "gone out:\n"
            + "\n".join(f"  {difference}" for difference in differences)
            + "\nRun it with the earlier settings to finish it, or give another --campaign for the new ones."
        )


def _senders(settings: Mapping[str, Any]) -> str:
    return str(senders_of(settings.get("sender_id"), settings.get("sender_by_country") or ())) or _NOT_GIVEN


def _content(digest: object, given: str) -> str:
    return _NOT_GIVEN if digest is None else given


def _value(value: object) -> str:
    if value in _NOTHING:
        return _NOT_GIVEN
    match value:
        case bool():
            return "on" if value else "off"
        case list() | tuple():
            return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case str():
            return f"{value!r}"
        case _:
            return f"{value}"
