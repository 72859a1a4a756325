"""The commands `globe-sms policy show`, `check` and `init`."""

import json as jsons
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter
from rich.console import Console

from globe_sms.flows.command_line.shared_parameters import AwsBlock, Json
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.runs.run_resources import RunResources
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

_RESULTS: Final = "Where the campaigns are kept: s3://bucket/prefix or a directory."
_ACCOUNT: Final = "An Alibaba SMS account block, which may name a policy. Default: the environment."
_WIDTH_WITHOUT_TERMINAL: Final = 180
_Results = Annotated[str, Parameter(name=["--results"], help=_RESULTS)]
_Account = Annotated[str | None, Parameter(help=_ACCOUNT)]


def add_policy(app: App) -> None:
    """Add the commands to a command line."""
    policy = App(name="policy", help="Show, check or create the account's standing rules.", help_format="plaintext")
    for command in (show, check, init):
        policy.command(command, name=command.__name__)
    app.command(policy)


def show(results: _Results, *, account: _Account = None, aws_credentials: AwsBlock = None, json: Json = False) -> None:
    """Show the policy that applies to the campaigns of a results folder, and what is left of its budgets."""
    from globe_sms.tasks.policy.in_words import rules_in_words

    resources = _open(results, account, aws_credentials)
    policy = _read(resources)
    budgets = [] if policy is None else _budgets(policy, resources)
    if json:
        _write({**_as_json(results, policy), **({} if policy is None else {"budgets": budgets})})
        return
    console = _console()
    if policy is None:
        from globe_sms.tasks.account.policy_location import usual_policy_uri

        _say(console, f"No policy applies to {mask_typed(results)}: {_shown(usual_policy_uri(results))} doesn't exist.")
        _say(console, "`globe-sms policy init` writes a template there.")
        return
    _say(console, _origin(policy))
    rules = rules_in_words(policy.rules)
    for key, text in rules:
        _say(console, f"  {key}: {text}")
    for left in budgets:
        _say(console, left)
    if not rules:
        _say(console, "  It has no rules.")


def check(results: _Results, *, account: _Account = None, aws_credentials: AwsBlock = None, json: Json = False) -> None:
    """Check the policy: read it, and every list and table that it names. Exit code 2 if something is wrong."""
    from globe_sms.tasks.policy.check_policy import check_lists

    resources = _open(results, account, aws_credentials)
    policy = _read(resources)
    if policy is None:
        from globe_sms.tasks.account.policy_location import usual_policy_uri

        raise InputError(
            f"no policy to check: {_shown(usual_policy_uri(results))} doesn't exist. `globe-sms policy init` writes a "
            "template there."
        )
    checked = check_lists(policy, resources.s3)
    if json:
        read = [{"key": each.key, "uri": each.uri, "found": each.found} for each in checked]
        _write({**_as_json(results, policy), "lists": read})
        return
    console = _console()
    _say(console, _origin(policy))
    for each in checked:
        _say(console, f"  {each.key} {mask_typed(each.uri)}: {each.found}")
    _say(console, "It can be used.")


def init(results: _Results, *, account: _Account = None, aws_credentials: AwsBlock = None) -> None:
    """Write a template of a policy, with every rule commented out, unless a policy exists."""
    from globe_sms.tasks.account.policy_location import usual_policy_uri, write_new_policy
    from globe_sms.tasks.policy.template import policy_template

    resources = _open(results, account, aws_credentials)
    uri = resources.account.policy_uri() or usual_policy_uri(results)
    if not write_new_policy(uri, policy_template().encode(), resources.s3):
        raise InputError(
            f"{_shown(uri)} already exists and was left unchanged. `globe-sms policy show` shows its rules."
        )
    _say(_console(), f"Wrote {_shown(uri)}. Every rule in it is commented out: remove the # from those you want.")


def _open(results: str, account: str | None, aws_credentials: str | None) -> RunResources:
    from globe_sms.tasks.runs.run_resources import open_resources

    return open_resources(account, aws_credentials, results, os.environ, calls_gateway=False)


def _read(resources: RunResources) -> Policy | None:
    from globe_sms.tasks.policy.read_policy import read_policy

    return read_policy(resources.account, resources.results, resources.s3)


def _budgets(policy: Policy, resources: RunResources) -> list[str]:
    from globe_sms.tasks.policy.check_budgets import count_budgets
    from globe_sms.tasks.policy.place_results import PlaceResults
    from globe_sms.tasks.reports.prices import read_prices

    prices = read_prices(policy.rules.prices, resources.s3) if policy.rules.budget.need_prices else None
    with tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch:
        results = PlaceResults(resources.store, resources.s3, Path(scratch))
        return [budget.left() for budget in count_budgets(policy, results, prices)]


def _origin(policy: Policy) -> str:
    if policy.named_by is None:
        return f"The policy {_shown(policy.place)} applies: every run with results here reads it."
    return f"The policy {_shown(policy.place)} applies: {policy.named_by} names it."


def _as_json(results: str, policy: Policy | None) -> dict[str, Any]:
    if policy is None:
        return {"results": results, "policy": None}
    return {
        "results": results,
        "policy": policy.place,
        "named_by": policy.named_by,
        "sha256": policy.digest,
        "rules": policy.rules.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }


def _shown(uri: str) -> str:
    return mask_typed(uri)


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def _write(data: dict[str, Any]) -> None:
    sys.stdout.write(jsons.dumps(data) + "\n")
    sys.stdout.flush()
