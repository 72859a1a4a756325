"""The flow `check-account`: whether a campaign could be sent, without sending anything.

It calls the gateway once with a query that can't send, and writes and deletes one small object in the results folder.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prefect import flow, get_run_logger
from prefect.states import Completed, Failed

from globe_sms.flows.observers.publish_page import publish_page
from globe_sms.flows.option_signatures import chosen_parameters, takes
from globe_sms.flows.orchestration.deployed_run import check_lasting, in_place_of_nulls
from globe_sms.flows.orchestration.final_states import name_refusals
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.gateway import check_connection
from globe_sms.tasks.policy.in_words import rules_in_words
from globe_sms.tasks.policy.read_policy import read_policy
from globe_sms.tasks.reports.page_blocks import Notes, Page, Words
from globe_sms.tasks.runs.run_resources import RunResources, open_resources
from globe_sms.tasks.store import probe
from globe_sms.tasks.vocabulary.errors import GlobeSmsError
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_ALL_WORK: Final = "Everything works; nothing was sent."


@flow(name="check-account", persist_result=False)
@takes(chosen_parameters("account", "results", "aws_credentials"))
@name_refusals
def check_account(**options: Any) -> bool:
    """Check the account's key and endpoint, the results folder and the policy; nothing is sent.

    The page `checked-account` of the run has a line for each check.

    Returns:
        Whether a campaign could be sent.

    Raises:
        InputError: the account or the results folder doesn't exist.
    """
    flow_run = this_flow_run()
    given = in_place_of_nulls(options, flow_run)
    results = given["results"]
    check_lasting("Results folder", results, flow_run)
    with redact_errors():
        resources = open_resources(
            given.get("account") or None, given.get("aws_credentials") or None, results, os.environ, calls_gateway=False
        )
        found = [_tried(what, check) for what, check in _checks(resources, results)]
    publish_page("checked-account", _page(found))
    log = get_run_logger()
    for check in found:
        log.log(logging.INFO if check.works else logging.ERROR, "%s: %s", check.what, in_form_words(check.said))
    wrong = [f"{check.what}: {check.said}" for check in found if not check.works]
    if wrong:
        return Failed(message=in_form_words("\n".join(wrong)), data=GlobeSmsError(wrong[0]))  # pyright: ignore[reportReturnType]  # a state
    return Completed(message=_ALL_WORK, data=True)  # pyright: ignore[reportReturnType]  # a state


@dataclass(frozen=True, slots=True)
class _Check:
    """What was checked, whether it works, and what that proves or what to do."""

    what: str
    works: bool
    said: str


def _page(found: Sequence[_Check]) -> Page:
    failed = sum(not check.works for check in found)
    said = f"{failed} of {counted(len(found), 'check')} failed." if failed else _ALL_WORK
    notes = tuple((f"{'✓' if check.works else '✗'} {check.what}", check.said) for check in found)
    return Page("Test of the connection", (Words(said, strong=True), Notes("Checks", notes, advice=True)))


def _checks(resources: RunResources, results: str) -> Iterator[tuple[str, Callable[[], str]]]:
    account = resources.account
    yield "Gateway and key", lambda: check_connection(account.endpoint(), account.credentials())
    yield "Results folder", lambda: _written(resources)
    yield "Policy", lambda: _policy(resources, results)


def _tried(what: str, check: Callable[[], str]) -> _Check:
    try:
        return _Check(what, works=True, said=check())
    except GlobeSmsError as error:
        return _Check(what, works=False, said=str(error))


def _written(resources: RunResources) -> str:
    probe(resources.store)
    return f"{resources.store.uri} can be read and written, and refuses to overwrite what another run has written."


def _policy(resources: RunResources, results: str) -> str:
    policy = read_policy(resources.account, results, resources.s3)
    if policy is None:
        return "No policy: only a campaign's own limits apply."
    rules = "; ".join(f"{key}: {said}" for key, said in rules_in_words(policy.rules))
    return f"{policy.place}: {rules or 'no rules'}."
