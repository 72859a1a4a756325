"""How an option is declared: type, default, bounds, title and words, in a Pydantic model.

The form of `send-campaign`, the command `globe-sms send`, `globe_sms.send` and `CampaignConfig` are made from these
declarations. What bounds can't say, `CampaignConfig` checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the command line says or does differently.

    `help` replaces the form's description. `positional` is the help's name of an argument that isn't an option.
    `takes_all` options take every value up to the next option; `shown` is False for what only a schedule needs.
    """

    help: str = ""
    positional: str = ""
    takes_all: bool = False
    shown: bool = True


@dataclass(frozen=True, slots=True)
class NotInForm:
    """An option that the form has no field of its own for.

    `words` replace it in messages for people who fill in the form. `field` is the merged field that sets it; if it's
    empty, only programs set it, and so the form's schema takes it without showing it.
    """

    words: str
    field: str = ""


def not_in_form(field: FieldInfo) -> NotInForm | None:
    """Return what an option's declaration says if it has no field of its own in the form."""
    return next((each for each in field.metadata if isinstance(each, NotInForm)), None)


def shaped(words: str, pattern: str) -> dict[str, Any]:
    """Return the JSON schema of a text that has to match a pattern.

    Prefect's forms show the pattern with the error and nothing else, so it begins with a comment that says in words
    what to write: `words`, which must not contain a closing parenthesis.
    """
    return {"pattern": f"(?#{words}){pattern}"}


def each_shaped(words: str, pattern: str) -> dict[str, Any]:
    """Return the JSON schema of a list of texts that each have to match a pattern; see `shaped`."""
    return {"items": {"type": "string", **shaped(words, pattern)}}


DURATION: Final = r"^\s*(0|(\d{1,7}(\.\d{1,3})?\s*(s|min|m|h|d)\s*)+)$"
COUNTRY: Final = "[A-Za-z]{2}"


def _as_a_form(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Put the fields in the order of their declaration, and show an empty field for None.

    What the form doesn't show is a pattern that only its name matches: the server takes it, the UIs show no field.
    """
    properties: dict[str, Any] = schema.get("properties", {})
    for position, field in enumerate(properties.values()):
        field["position"] = position
        without_null(field)
        if field.get("default", "") is None:
            del field["default"]
    for name, field in model.model_fields.items():
        if name in properties and not_in_form(field) is not None:
            schema.setdefault("patternProperties", {})[f"^{name}$"] = properties.pop(name)


def without_null(schema: dict[str, Any]) -> None:
    """Make a schema of "this or null" one of "this": otherwise Prefect's form shows a choice of types and no field."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema |= kinds[0]


class Options(BaseModel, frozen=True):
    """Options that belong together; in the form a group with a heading."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra=_as_a_form)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_given(cls, values: Any) -> Any:
        return given_values(cls, cast("Mapping[str, Any]", values)) if isinstance(values, Mapping) else values


def given_values(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that aren't empty, as fields of a form are: those have their defaults."""
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    return {name: value for name, value in values.items() if value is not None and (value != "" or name in required)}
