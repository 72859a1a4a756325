"""The flow's parameters: the options in their groups, some of them merged. Command line and Python have them flat."""

from collections.abc import Mapping
from typing import Any, Final

from globe_sms.tasks.campaign.options.declaration import Options
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.campaign.options.merged_fields import MERGED

_FORM_ONLY: Final = {field.name for field in MERGED if field.name not in field.options}


def group_options(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flow's parameters for flat options, as the command line has them."""
    groups = {name: group.name for group in GROUPS for name in group.options.model_fields}
    groups |= {field.name: groups[field.options[0]] for field in MERGED if field.options[0] in groups}
    parameters: dict[str, Any] = {}
    for name, value in _merged(flat).items():
        (parameters.setdefault(groups[name], {}) if name in groups else parameters)[name] = value
    return parameters


def null_options(parameters: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the flat options that recorded parameters of the flow have as null, also by their group."""
    nulls = {name for name, value in parameters.items() if value is None}
    for group in GROUPS:
        if group.name in nulls:
            nulls |= group.options.model_fields.keys()
        elif isinstance(given := parameters.get(group.name), Mapping):
            nulls |= {name for name, value in given.items() if value is None}
    nulls |= {option for field in MERGED if field.name in nulls for option in field.options}
    return frozenset(nulls - {group.name for group in GROUPS} - _FORM_ONLY)


def flatten_options(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flat options of the flow's parameters; a group may be a model, a dict or None.

    Raises:
        InputError: a merged field has a value that it can't have.
    """
    flat = dict(parameters)
    for group in GROUPS:
        given = flat.pop(group.name, None) or {}
        flat |= {name: getattr(given, name) for name in given.model_fields_set} if isinstance(given, Options) else given
    for field in MERGED:
        if field.name in flat and (value := flat.pop(field.name)):
            flat |= field.split(value)
    return flat


def _merged(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with those of each merged field in one, where one of them is given."""
    merged = dict(flat)
    for field in MERGED:
        given = {name: merged.pop(name) for name in field.options if name in merged}
        if given:
            merged[field.name] = field.join(given)
    return merged
