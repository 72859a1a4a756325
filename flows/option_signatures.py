"""Signatures that are made from the declared options: grouped for the flow, side by side for Python."""

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from globe_sms.tasks.campaign.options.declaration import Options, without_null
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS, Group
from globe_sms.tasks.recipients.frames import Recipients

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
        *(_form_field(name, field) for name, field in model.model_fields.items()),
        *(_parameter(group.name, _heading(group), {}) for group in groups),
    ]


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


def _form_field(name: str, field: FieldInfo) -> inspect.Parameter:
    # Prefect takes title and description of a parameter from its name and the docstring, unless the schema says more.
    said: Any = Field(json_schema_extra={"title": str(field.title), "description": str(field.description)})
    metadata: list[Any] = [*field.metadata, said]
    default = _default(field)
    if not field.is_required():
        metadata.append(BeforeValidator(lambda value: default if value is None else value))
    is_text = field.default is None and str in kinds_of(field.annotation)
    if is_text:
        metadata.append(_Plain())
    return _parameter(name, Annotated[(field.annotation, *metadata)], "" if is_text else default)


def _heading(group: Group) -> Any:
    said: Any = Field(json_schema_extra={"title": group.heading, "description": str(group.options.__doc__)})
    return Annotated[group.options, BeforeValidator(lambda value: {} if value is None else value), said]


def _default(field: FieldInfo) -> Any:
    return inspect.Parameter.empty if field.is_required() else field.default


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


class _Plain:
    """Makes the form show an empty field for None."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        without_null(schema)
        return schema
