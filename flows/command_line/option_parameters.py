"""Declared options as those of the command line, in the groups of the form."""

import inspect
from typing import Annotated, Any, Final

from cyclopts import Group, Parameter
from pydantic.fields import FieldInfo

from globe_sms.flows.command_line.whole_numbers import whole_number
from globe_sms.flows.option_signatures import kinds_of
from globe_sms.tasks.campaign.options.declaration import Options, Terminal
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS

_HERE: Final[dict[str, Any]] = {
    "sender_id": tuple[str, ...] | None,  # given again for each, in place of commas
    "test_to": tuple[str, ...],  # CampaignConfig makes them secret
}


def campaign_parameters() -> list[inspect.Parameter]:
    """Return the parameters of `globe-sms send`: the lists, and an option for each other field."""
    models = [("Every campaign", EveryCampaign), *((group.heading, group.options) for group in GROUPS)]
    return [
        parameter
        for position, (heading, model) in enumerate(models)
        for parameter in command_parameters(model, Group(heading, sort_key=position))
    ]


def command_parameters(model: type[Options], group: Group | None = None) -> list[inspect.Parameter]:
    """Return a parameter of a command for each field of a model that a terminal needs."""
    return [
        parameter
        for name, field in model.model_fields.items()
        if (parameter := _parameter(name, field, group)) is not None
    ]


def _parameter(name: str, field: FieldInfo, group: Group | None) -> inspect.Parameter | None:
    terminal = next((each for each in field.metadata if isinstance(each, Terminal)), Terminal())
    if not terminal.shown:
        return None
    kind: Any = _HERE.get(name, field.annotation)
    if terminal.positional:
        said = Parameter(name=terminal.positional, help=terminal.help)
        kind = list[str] if kind == tuple[str, ...] else kind
        default = inspect.Parameter.empty if field.is_required() else field.default
        return inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_ONLY, default=default, annotation=Annotated[kind, said]
        )
    said = Parameter(
        help=terminal.help or field.description,
        negative=f"--no-{name.replace('_', '-')}" if field.default is True else "",
        converter=whole_number if int in kinds_of(kind) else None,
        # Without it, a second list after an option would be read as recipients.
        consume_multiple=True if terminal.takes_all else None,
        name_transform=str if name == "type" else None,
        validator=_not_blank if str in kinds_of(kind) and field.default is None else None,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_required() else field.default,
        annotation=Annotated[kind, said] if group is None else Annotated[kind, said, Parameter(group=group)],
    )


def _not_blank(_: Any, value: Any) -> None:
    """Refuse an empty value, such as that of a shell variable that isn't set; the form's empty field means a default.

    Raises:
        ValueError: it is empty.
    """
    if value == "":
        raise ValueError("it is empty: give a value, or leave the option out")
