"""Reads a policy: TOML, checked key by key; each error names the file, the key, and what to write."""

import difflib
import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.account.policy_location import PolicyFile
from globe_sms.tasks.policy.rules import Budget, Frequency, PolicyRules, Undeliverable
from globe_sms.tasks.store.s3_access import S3Access, one_line
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "frequency": Frequency,
    "undeliverable": Undeliverable,
    "day": Budget,
    "month": Budget,
}
_WRONG: Final = {
    "int_type": "it isn't a whole number",
    "float_type": "it isn't a number",
    "string_type": "it isn't text in quotes",
    "tuple_type": "it isn't a list",
    "model_type": "it isn't a table of its own",
    "missing": "it is missing",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as a run read it.

    Attributes:
        place: the URI of its file.
        named_by: what names it: the account block or GLOBE_SMS_POLICY; None at its usual place.
        digest: SHA-256 of its content.
        rules: what it says.
    """

    place: str
    named_by: str | None
    digest: str
    rules: PolicyRules


def read_policy(account: Account, results: str, s3: Callable[[], S3Access]) -> Policy | None:
    """Find and read the policy that applies to an account's runs; None without one.

    Raises:
        InputError: it's named but missing, can't be read, or has mistakes, with a line for each.
    """
    file = account.find_policy(results, s3)
    return None if file is None else parse_policy(file)


def parse_policy(file: PolicyFile) -> Policy:
    """Read what a policy says.

    Raises:
        InputError: it isn't TOML, or a key or value is wrong, with a line for each.
    """
    place = mask_typed(one_line(file.uri))
    try:
        data = tomllib.loads(file.body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(f"{place}: the policy isn't UTF-8 text: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{place}: the policy isn't valid TOML: {error}. Correct that line.") from None
    except (ValueError, RecursionError):  # Python's limits, which TOML doesn't have
        raise InputError(f"{place}: the policy has a number that's too long, or brackets nested too deep.") from None
    try:
        rules = PolicyRules.model_validate(data)
    except ValidationError as error:
        lines = (_line(cast("Mapping[str, Any]", detail)) for detail in error.errors(include_url=False))
        raise InputError("\n".join(f"{place}: {line}" for line in dict.fromkeys(lines))) from None
    return Policy(file.uri, file.named_by, hashlib.sha256(file.body).hexdigest(), rules)


def _line(detail: Mapping[str, Any]) -> str:
    """Say what is wrong with a key, and what to write."""
    path = [str(part) for part in detail["loc"] if not isinstance(part, int)]
    said = str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "it must be")
    if not path:
        return said
    shown = ".".join(mask_typed(one_line(part)) for part in path)
    if detail["type"] == "extra_forbidden":
        known = list(_keys_of(path[:-1]))
        near = difflib.get_close_matches(path[-1].replace("_", "-").lower(), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
        return f"{shown}: unknown key: {hint}"
    return f"{shown}: {_WRONG.get(detail['type'], said)}{_example(path)}"


def _keys_of(path: Sequence[str]) -> Iterator[str]:
    for name, field in _table(path).model_fields.items():
        yield field.alias or name


def _table(path: Sequence[str]) -> type[BaseModel]:
    model: type[BaseModel] = PolicyRules
    for part in path:
        field = next((each for name, each in model.model_fields.items() if (each.alias or name) == part), None)
        kind = None if field is None else field.annotation
        model = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else _TABLES.get(part, model)
    return model


def _example(path: Sequence[str]) -> str:
    """Return how to write a key, as the end of a message."""
    for length in range(len(path), 0, -1):
        for name, field in _table(path[: length - 1]).model_fields.items():
            if (field.alias or name) == path[length - 1] and field.examples:
                return f" (for example: {field.examples[0]})"
    return ""
