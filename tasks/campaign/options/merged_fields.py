"""Fields of the form that are two options of the terminal: a cap, countries, the number column, earlier results.

The form and the recorded parameters have the merged field; `flow_parameters` converts. Nothing is lost on the way: any
values of the two options have a text, and the text gives them back.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, create_model

from globe_sms.tasks.campaign.options.declaration import COUNTRY, Options, each_shaped, not_in_form, shaped
from globe_sms.tasks.vocabulary.errors import InputError

_NUMBERS: Final = r"\d{1,3}(,\d{3})+|\d+"
_COST: Final = r"cost\s+\d+(\.\d+)?"
_LIMIT: Final = rf"({_NUMBERS}|{_COST})"
_SOME: Final = rf"{COUNTRY}(\s*,\s*{COUNTRY})*"
_ALL_BUT: Final = rf"not\s+{_SOME}"
_COUNTRIES: Final = rf"^\s*({_SOME}(\s*;\s*{_ALL_BUT})?|{_ALL_BUT})?\s*$"
_DAYS: Final = re.compile(r"#days=(\d{1,4}(?:\.\d{1,15})?)")
_USUAL_DAYS: Final = 30.0
_NO_HEADER: Final = "no header"
_HEADER: Final = "header: "


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedField:
    """A field of the form, and the options that it's made of.

    `split` gives the options for a value of the field, and raises InputError if it isn't one; `join` gives the value
    for the options that differ from their defaults. `shape` is the JSON schema beyond the type.
    """

    name: str
    options: tuple[str, ...]
    title: str
    description: str
    kind: type[str] | type[tuple[str, ...]] = str
    shape: Mapping[str, Any]
    split: Callable[[Any], dict[str, Any]]
    join: Callable[[Mapping[str, Any]], Any]

    @property
    def declared(self) -> tuple[Any, Any]:
        """Type and default, as Pydantic's `create_model` takes them."""
        said: Any = Field(title=self.title, description=self.description, json_schema_extra=dict(self.shape))
        return Annotated[(self.kind, said)], self.kind()


def _split_cap(said: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in re.split(r"\s+and\s+", said.strip()):
        if re.fullmatch(_NUMBERS, part):
            found["max_recipients"] = int(part.replace(",", ""))
        elif re.fullmatch(_COST, part):
            found["max_cost"] = float(part.split()[1])
        else:
            raise InputError(f"Cap: {said!r} isn't one; write a number such as 20000, or a cost such as cost 150")
    return found


def _join_cap(options: Mapping[str, Any]) -> str:
    numbers, cost = options.get("max_recipients"), options.get("max_cost")
    parts = [] if numbers is None else [str(numbers)]
    return " and ".join(parts if cost is None else [*parts, f"cost {Decimal(str(cost)):f}"])


def _split_countries(said: str) -> dict[str, Any]:
    if not re.fullmatch(_COUNTRIES, said):
        raise InputError(
            f"Countries: {said!r} isn't understood; write SG, MY for only these, or not US, IN for all others"
        )
    only, _, others = re.sub(r"\s*\bnot\s+", ";", said, count=1).partition(";")
    lists = {"allow_country": only.rstrip("; "), "deny_country": others.lstrip("; ")}
    return {name: tuple(each.strip() for each in text.split(",")) for name, text in lists.items() if text.strip()}


def _join_countries(options: Mapping[str, Any]) -> str:
    only, others = options.get("allow_country") or (), options.get("deny_country") or ()
    return "; ".join([*([", ".join(only)] if only else []), *([f"not {', '.join(others)}"] if others else [])])


def _split_column(said: str) -> dict[str, Any]:
    if said.startswith(_HEADER):
        return {"number_column": said.removeprefix(_HEADER)}
    if said == _NO_HEADER or said.isdecimal():
        return {"no_header": True, **({"number_column": said} if said != _NO_HEADER else {})}
    if said.startswith(f"{_NO_HEADER}: "):
        return {"number_column": said.removeprefix(f"{_NO_HEADER}: "), "no_header": True}
    return {"number_column": said}


def _join_column(options: Mapping[str, Any]) -> str:
    column = options.get("number_column") or ""
    if options.get("no_header"):
        return column if column.isdecimal() else f"{_NO_HEADER}: {column}" if column else _NO_HEADER
    is_plain = not column.isdecimal() and not column.startswith((_NO_HEADER, _HEADER))
    return column if is_plain else f"{_HEADER}{column}"


def _split_results(places: tuple[str, ...]) -> dict[str, Any]:
    """Take the days off the places; they are the same for all."""
    found = [_days_of(place) for place in places]
    bare = tuple(place[: days.start()] if days else place for place, days in zip(places, found, strict=True))
    given = {float(days[1]) if days else None for days in found}
    if len(given) > 1:
        raise InputError("Results of earlier campaigns: write the same number of days (#days=7) after each place")
    days = given.pop() if given else None
    return {"exclude_results": bare, **({} if days in {None, _USUAL_DAYS} else {"exclude_days": days})}


def _join_results(options: Mapping[str, Any]) -> tuple[str, ...]:
    places, days = options.get("exclude_results") or (), options.get("exclude_days", _USUAL_DAYS)
    is_said = days != _USUAL_DAYS or any(map(_days_of, places))
    return tuple(f"{place}#days={Decimal(str(days)):f}" if is_said else place for place in places)


def _days_of(place: str) -> re.Match[str] | None:
    start = place.rfind("#")
    return None if start < 0 else _DAYS.fullmatch(place, start)


MERGED: Final = (
    MergedField(
        name="cap",
        options=("max_recipients", "max_cost"),
        title="Cap",
        description="A larger campaign sends nothing. Write how many numbers, such as 20000, or what it may cost, such "
        "as cost 150, in the currency of the prices (in the group Tests and limits). Empty: no cap.",
        shape=shaped("20000 for numbers; cost 150 for a cost", rf"^\s*({_LIMIT}(\s+and\s+{_LIMIT})?)?\s*$"),
        split=_split_cap,
        join=_join_cap,
    ),
    MergedField(
        name="countries",
        options=("allow_country", "deny_country"),
        title="Countries",
        description="Two letters each: SG, MY texts only numbers of these countries; not US, IN texts all others. The "
        "other rows are unsupported. Empty: all countries.",
        shape=shaped("SG, MY for only these; not US, IN for all others", _COUNTRIES),
        split=_split_countries,
        join=_join_countries,
    ),
    MergedField(
        name="number_column",
        options=("number_column", "no_header"),
        title="Column of phone numbers",
        description="Only needed if the column isn't called phone, mobile or msisdn, or another could be it. A "
        "position such as 1 or 2 says that the lists have no header: they start with their first row.",
        shape={},
        split=_split_column,
        join=_join_column,
    ),
    MergedField(
        name="exclude_results",
        options=("exclude_results", "exclude_days"),
        title="Results of earlier campaigns",
        description="People whom these campaigns texted in the last 30 days get no text; one place per item, such as "
        "s3://campaigns/prod/*/results.parquet. For another number of days write it at the end: "
        "results.parquet#days=7. Unknown rows don't count as texted.",
        kind=tuple[str, ...],
        shape=each_shaped("where results are; it can't be blank", r"\S"),
        split=_split_results,
        join=_join_results,
    ),
)


def form_of(model: type[Options]) -> type[BaseModel]:
    """Return the form's fields for the options of a model; a merged field comes where its first option is."""
    merged = {merged.options[0]: merged for merged in MERGED}
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        said = not_in_form(field)
        if said is None or not said.field:
            fields[name] = (field.annotation, field)
        elif name in merged:
            fields[merged[name].name] = merged[name].declared
    return create_model(model.__name__, __base__=Options, __doc__=model.__doc__, **fields)
