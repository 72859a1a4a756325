"""The step that previews a campaign, and what its preview decides: caps and budgets."""

import re
import time
from typing import Final

from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.hours_forecast import HoursForecast, forecast_hours
from globe_sms.tasks.planning.left_out import LeftOutFigures
from globe_sms.tasks.policy.amounts import Amounts
from globe_sms.tasks.policy.budgets import refusals
from globe_sms.tasks.policy.check_budgets import count_budgets, wanted_amounts
from globe_sms.tasks.policy.in_words import show_policy
from globe_sms.tasks.policy.reserve import BudgetReservation
from globe_sms.tasks.reports.make_preview import make_preview
from globe_sms.tasks.reports.plan_changes import plan_changes
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_OPTION: Final = re.compile(r"\((--[a-z-]+)\)")  # of a limit, as it says itself


@redact_errors()
def preview_campaign(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> Preview:
    """Count what the plan would do, what is left of it for this run, and what changed since the last plan."""
    document = run.campaign.document
    read = document.lists
    budgets = count_budgets(run.policy, run.place_results, run.tables.budget_prices)
    preview = make_preview(
        plan,
        run.config,
        campaign=run.campaign.id,
        lists=run.config.recipients if read is None else tuple(found.name for found in read),
        passed_over=run.campaign.document.passed_over,
        numbers=remaining.numbers,
        parts=remaining.parts,
        prices=run.tables.prices,
        calls=len(remaining.chunks),
        resent_chunks=len(remaining.resent),
        hours_forecast=_hours_forecast(run, plan, remaining),
        canary_first=run.config.canary_numbers if remaining.begins_with_canary else None,
        is_earlier=document.sending_since is not None,
        changes=plan_changes(document),
        gateway=_gateway(run),
        left_out=LeftOutFigures(run.opt_outs.passed_over, remaining.left_out),
        end=run.end,
        now=time.time(),
        policy=show_policy(run.policy, plan.scan(), (budget.left() for budget in budgets)),
        exceeded_budgets=refusals(budgets, _wanted(run, plan, remaining)),
        readings=document.readings,
        schedule=run.resources.schedule_to_show(),
    )
    if document.replaced is not None:
        run.campaign.update(replaced=None)
    return preview


def reserve_budgets(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> BudgetReservation:
    """Return what reserves what's left to send in the policy's budgets, once the stretch of sending begins."""
    wanted = _wanted(run, plan, remaining)
    return BudgetReservation(run.policy, run.place_results, run.tables.budget_prices, run.campaign.id, wanted)


def _wanted(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> Amounts:
    return wanted_amounts(plan, remaining, run.tables.budget_prices, run.config.wording.parts)


def _gateway(run: CampaignRun) -> str | None:
    try:
        return str(run.resources.account.endpoint())
    except InputError:  # a dry run needs none
        return None


def _hours_forecast(run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks) -> HoursForecast | None:
    hours = run.config.quiet_hours
    return (
        None
        if hours is None or plan.layout is None
        else forecast_hours(plan.layout, remaining.chunks, hours, time.time())
    )


def check_caps(run: CampaignRun, preview: Preview) -> None:
    """Refuse a campaign that breaks a cap; a dry run only says so in its preview.

    Raises:
        InputError: it breaks one; this run has sent nothing.
    """
    if preview.exceeded_limits and not run.config.dry_run:
        named = _OPTION.search(preview.exceeded_limits[0])
        raise InputError(
            "\n".join(f"campaign {run.campaign.id!r} is not sent: {limit}" for limit in preview.exceeded_limits),
            option=named[1] if named else "",
        )
