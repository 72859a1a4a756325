"""Signatures that are made from the declared options: grouped for the flow, side by side for Python."""

import inspect
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from globe_sms.tasks.campaign.options.declaration import Options, without_null
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS, Group
from globe_sms.tasks.campaign.options.merged_fields import form_of
from globe_sms.tasks.recipients.frames import Recipients

NO_NUMBER: Final = -1  # in a form: the number that stands for none, where 0 is one
_Function = TypeVar("_Function", bound=Callable[..., Any])


def takes(parameters: Iterable[inspect.Parameter]) -> Callable[[_Function], _Function]:
    """Give a function that takes `**options` the signature that Prefect, cyclopts and editors read."""

    def decorate(function: _Function) -> _Function:
        signature = inspect.Signature(list(parameters), return_annotation=inspect.signature(function).return_annotation)
        function.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()} | {
            "return": signature.return_annotation
        }
        function.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]  # what `inspect.signature` reads
        return function

    return decorate


def form_parameters(model: type[Options], groups: Iterable[Group] = ()) -> list[inspect.Parameter]:
    """Return a flow's parameters in the order of its form: the fields of a model, then a model for each group."""
    return [
        *(_form_field(name, field) for name, field in form_of(model).model_fields.items()),
        *(_parameter(group.name, _heading(group), {}) for group in groups),
    ]


def chosen_parameters(*names: str, required: Collection[str] = ()) -> list[inspect.Parameter]:
    """Return these parameters of the form in this order, without their groups; those in `required` have no default."""
    models = (EveryCampaign, *(group.options for group in GROUPS))
    fields = {name: field for model in models for name, field in model.model_fields.items()}
    return [_form_field(name, fields[name], required=name in required) for name in names]


def required_parameter(name: str, annotation: Any) -> inspect.Parameter:
    """Return a parameter without a default that isn't one of the form's options."""
    return _parameter(name, annotation, inspect.Parameter.empty)


def python_parameters() -> list[inspect.Parameter]:
    """Return the parameters of `globe_sms.send`: the lists, then every option by its name."""
    models = (EveryCampaign, *(group.options for group in GROUPS))
    fields = {name: field for model in models for name, field in model.model_fields.items()}
    del fields["recipients"]
    return [
        inspect.Parameter("lists", inspect.Parameter.VAR_POSITIONAL, annotation=Recipients),
        *(_parameter(name, field.annotation, _default(field)) for name, field in fields.items()),
    ]


def kinds_of(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself."""
    return get_args(annotation) or (annotation,)


def _form_field(name: str, field: FieldInfo, *, required: bool = False) -> inspect.Parameter:
    # Prefect takes title and description of a parameter from its name and the docstring, unless the schema says more.
    words = {"title": str(field.title), "description": str(field.description)}
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    said: Any = Field(json_schema_extra={**extra, **words})
    metadata: list[Any] = [*field.metadata, said]
    default = _default(field)
    if required:
        return _parameter(name, Annotated[(field.annotation, *metadata, _Empty())], inspect.Parameter.empty)
    if default is None:
        empty = "" if str in kinds_of(field.annotation) else NO_NUMBER
        none = BeforeValidator(lambda value: None if value == empty else value)
        metadata += [none, _Empty(empty), Field(validate_default=True)]
        return _parameter(name, Annotated[(field.annotation, *metadata)], empty)
    if not field.is_required():
        metadata.append(BeforeValidator(lambda value: default if value is None else value))
    return _parameter(name, Annotated[(field.annotation, *metadata)], default)


def _heading(group: Group) -> Any:
    said: Any = Field(json_schema_extra={"title": group.heading, "description": str(group.options.__doc__)})
    return Annotated[form_of(group.options), BeforeValidator(lambda value: {} if value is None else value), said]


def _default(field: FieldInfo) -> Any:
    return inspect.Parameter.empty if field.is_required() else field.default


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


@dataclass(frozen=True, slots=True)
class _Empty:
    """Makes the form show a field of one type, which takes a value for None: Prefect would show a choice of types."""

    value: str | int = ""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        without_null(schema)
        if isinstance(self.value, int):
            schema["minimum"] = self.value
        return schema
