"""The step that plans a campaign: it loads the frozen plan, or makes the plan of what the lists are now."""

from collections.abc import Sequence

from globe_sms.tasks.campaign.campaign_json import ListRead, NoLists, PlanFigures, plan_key
from globe_sms.tasks.planning.campaign_lists import find_campaign_lists
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.planning.plan_inputs import find_plan_inputs
from globe_sms.tasks.policy.frozen_hours import check_frozen_hours
from globe_sms.tasks.policy.tighten import planning_digest
from globe_sms.tasks.recipients import ListSource
from globe_sms.tasks.reports.repeated_texts import count_repeats
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.runs.keep_query import drop_earlier_queries
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.statuses import Status


@redact_errors()
def plan_campaign(run: CampaignRun) -> FrozenPlan:
    """Load the campaign's plan; unless it's frozen, make it again if anything that it was made from has changed.

    Raises:
        InputError: a list can't be read, and the plan isn't frozen; or the frozen plan is gone.
        LeaseLostError: another run has taken the campaign over.
    """
    document = run.campaign.document
    if document.sending_since is not None:
        plan = _frozen_plan(run)
        check_frozen_hours(plan, run.config.quiet_hours, run.policy, run.campaign.id)
        return plan
    sources = run.sources or find_campaign_lists(run.config, run.resources.s3)
    lists = tuple(map(_list_read, sources))
    settings = run.config.frozen_settings()
    inputs = find_plan_inputs(run.config, run.resources.s3, policy=planning_digest(run.policy))
    if document.plan is not None and (document.settings, document.lists, document.plan.inputs) == (
        settings,
        lists,
        inputs,
    ):
        plan = FrozenPlan.load(run.campaign.use_plan().id, run.store, run.scratch)
        # Who has the text changes with time: those who were left out may get it now, and others may have it.
        changes = bool(document.plan.repeats) or run.counts_frequency or bool(run.undeliverable_rules)
        if plan is not None and not changes and not run.repeats.find(plan.scan_numbers(), run.scratch):
            return plan
    plan, read = make_plan(
        run.config,
        run.store,
        run.resources.s3,
        run.scratch,
        sources=sources,
        overrides=run.tables.overrides,
        own=run.tables.own,
        opt_outs=run.opt_outs,
        find_left_out=run.find_left_out,
    )
    run.exclusions.planned_with(run.opt_outs.read_files)
    rows = plan.counts()
    figures = PlanFigures(
        id=plan.id,
        inputs=inputs,
        rows=rows,
        chunks=plan.chunk_count(),
        repeats=sum(count_repeats(plan.scan()).values()) if Status.SUPPRESSED in rows else 0,
        numbers_override=run.tables.overrides.mobile or None,
        readings=tuple(source.reading for source in read if source.reading is not None),
    )
    run.campaign.adopt(figures, settings, lists)
    drop_earlier_queries(run.store, lists)
    passed_over = _passed_over(sources)
    if passed_over != run.campaign.document.passed_over:
        run.campaign.update(passed_over=passed_over)
    return plan


def _frozen_plan(run: CampaignRun) -> FrozenPlan:
    plan_id = run.campaign.use_plan().id
    plan = FrozenPlan.load(plan_id, run.store, run.scratch)
    if plan is None:
        raise InputError(
            f"{run.store.uri}/{plan_key(plan_id)} is gone, and the campaign is being sent from this plan: restore the "
            "object, or send under another --campaign with --exclude-results for those who have the text."
        )
    return plan


def _list_read(source: ListSource) -> ListRead:
    connection = None if source.origin is None else source.origin.connection
    return ListRead(uri=source.uri, identity=source.identity, connection=connection)


def _passed_over(sources: Sequence[ListSource]) -> tuple[NoLists, ...]:
    found = [source.passed_over for source in sources if source.passed_over is not None]
    return tuple(NoLists(uri=each.uri, count=each.count, names=each.names) for each in found)
