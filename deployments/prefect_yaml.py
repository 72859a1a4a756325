"""`prefect.yaml` as typed values: the deployments, in the same file that `prefect deploy` reads."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.vocabulary.errors import InputError

SHIPPED = Path(__file__).with_name("prefect.yaml")


def _zone(value: object) -> object:
    try:
        return time_zone(str(value)).key
    except InputError as error:
        raise ValueError(str(error)) from None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CronSchedule(_Part):
    """When a deployment runs on its own; `slug` tells a deployment's schedules apart."""

    cron: str
    timezone: Annotated[str, BeforeValidator(_zone)] = "UTC"
    active: bool = True
    slug: str | None = None


class ConcurrencyLimit(_Part):
    """How many runs of a deployment may be active at once, and what happens to one more."""

    limit: Annotated[int, Field(ge=1)] = 1
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"
    grace_period_seconds: Annotated[int, Field(ge=60, le=86_400)] = 600


class WorkPoolChoice(_Part):
    """The work pool that a deployment's runs go to."""

    name: str
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = Field(default_factory=dict)


class DeploymentSpec(_Part):
    """One deployment in the file."""

    name: Annotated[str, Field(pattern=r"^[^/%&<>]+$")]
    entrypoint: str
    description: str = ""
    version: str | None = None
    tags: tuple[str, ...] = ()
    schedules: tuple[CronSchedule, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict)
    concurrency_limit: ConcurrencyLimit | None = None
    work_pool: WorkPoolChoice
    enforce_parameter_schema: bool = True
    pull: tuple[dict[str, Any], ...] = ()


class Specification(BaseModel):
    """The whole file; keys that only `prefect deploy` reads are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    deployments: Annotated[tuple[DeploymentSpec, ...], Field(min_length=1)]

    @classmethod
    def read(cls, path: Path = SHIPPED) -> Self:
        """Read and validate a file.

        Raises:
            InputError: the file is missing, isn't YAML, or doesn't describe deployments.
        """
        try:
            loaded: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"{path}: can't be read ({' '.join(str(error).split())})") from None
        try:
            return cls.model_validate(loaded)
        except ValidationError as error:
            wrong = "\n".join(f"  {_place(detail['loc'], loaded)}: {detail['msg']}" for detail in error.errors())
            raise InputError(f"{path} doesn't describe deployments:\n{wrong}") from None


def _place(location: tuple[int | str, ...], loaded: Any) -> str:
    """Return the path of a wrong value, with the deployment's name instead of its position."""
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] == "deployments":
        with contextlib.suppress(KeyError, TypeError, ValueError):
            parts[1] = str(loaded["deployments"][int(parts[1])]["name"])
    return ".".join(parts)


def unknown_parameters(spec: DeploymentSpec, schema: Mapping[str, Any]) -> list[str]:
    """Return the parameters that the flow doesn't have, sorted."""
    return sorted(spec.parameters.keys() - schema["properties"].keys())
