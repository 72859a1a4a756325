"""The name of a run: the one that somebody typed, or its campaign's with the time that a schedule started it at."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from coolname.data import config as word_lists  # what Prefect's server makes names of
from prefect.client.schemas.objects import FlowRun
from prefect.runtime import flow_run

from globe_sms.flows.orchestration.scheduled_start import scheduled_time
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.campaign.date_placeholders import fill
from globe_sms.tasks.campaign.options.flow_parameters import flatten_options
from globe_sms.tasks.vocabulary.errors import InputError

_GREEK: Final = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi|"
    "psi|omega"
)
_ADJECTIVES: Final = (
    "Awesome|Rustic|Small|Gorgeous|Fantastic|Sleek|Intelligent|Unbranded|Refined|Licensed|Generic|Practical|Ergonomic|"
    "Handcrafted|Tasty|Handmade|Incredible"
)
_OF_THE_FORM: Final = re.compile(rf"(?:{_GREEK})\d*-[a-z]+(?:-[a-z]+){{0,2}}|(?:{_ADJECTIVES})-.{{1,6}}")


def run_name() -> str:
    """Return the name of a run of `send-campaign`."""
    parameters: Mapping[str, Any] = flow_run.parameters
    campaign = str(parameters.get("campaign") or "")
    if not campaign:
        return typed_or(f"send-{flow_run.id}"[:13])
    scheduled = scheduled_time(None)
    try:
        scheduled = scheduled_time(flatten_options(parameters).get("time_zone"))
        campaign = fill(campaign, scheduled)
    except InputError:
        pass  # the flow itself says what's wrong with it
    return typed_or(f"{campaign} at {scheduled:%Y-%m-%d %H:%M}" if this_flow_run().auto_scheduled else campaign)


def tracking_name() -> str:
    """Return the name of a run of `track-delivery`."""
    return typed_or(f"track-{flow_run.parameters.get('campaign', '')}")


def typed_or(made: str, run: FlowRun | None = None) -> str:
    """Return the name that somebody gave this run; `made` if Prefect has made one up."""
    name = (run or this_flow_run()).name
    return made if is_made_up(name) else name


def is_made_up(name: str) -> bool:
    """Whether Prefect's server, or the form of one of its UIs (3.8), makes names like this one."""
    words = name.split("-")
    return bool(_OF_THE_FORM.fullmatch(name)) or (len(words) == 2 and _words().issuperset(words))  # noqa: PLR2004


@cache
def _words() -> frozenset[str]:
    lists = cast("Mapping[str, Mapping[str, Any]]", word_lists)
    return frozenset(word for each in lists.values() if each["type"] == "words" for word in each["words"])
