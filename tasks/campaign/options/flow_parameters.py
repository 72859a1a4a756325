"""The flow's parameters: the options in the groups of `groups`. Command line and Python have them flat."""

from collections.abc import Mapping
from typing import Any

from globe_sms.tasks.campaign.options.declaration import Options
from globe_sms.tasks.campaign.options.groups import GROUPS


def group_options(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flow's parameters for flat options, as the command line has them."""
    groups = {name: group.name for group in GROUPS for name in group.options.model_fields}
    parameters: dict[str, Any] = {name: value for name, value in flat.items() if name not in groups}
    for name, value in flat.items():
        if name in groups:
            parameters.setdefault(groups[name], {})[name] = value
    return parameters


def null_options(parameters: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the flat options that recorded parameters of the flow have as null, also by their group."""
    nulls = {name for name, value in parameters.items() if value is None}
    for group in GROUPS:
        if group.name in nulls:
            nulls |= group.options.model_fields.keys()
        elif isinstance(given := parameters.get(group.name), Mapping):
            nulls |= {name for name, value in given.items() if value is None}
    return frozenset(nulls - {group.name for group in GROUPS})


def flatten_options(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flat options of the flow's parameters; a group may be a model, a dict or None."""
    flat = dict(parameters)
    for group in GROUPS:
        given = flat.pop(group.name, None) or {}
        flat |= {name: getattr(given, name) for name in given.model_fields_set} if isinstance(given, Options) else given
    return flat
