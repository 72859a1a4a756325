"""What changed since the last plan of a campaign that hasn't sent anything yet, for the preview."""

from collections.abc import Mapping, Sequence
from typing import Final

from globe_sms.tasks.campaign.approval import Decision
from globe_sms.tasks.campaign.campaign_json import CampaignDocument, ListRead
from globe_sms.tasks.campaign.options.words import option_of
from globe_sms.tasks.campaign.setting_differences import setting_differences
from globe_sms.tasks.vocabulary.statuses import SENDABLE

_MOST_LISTS: Final = 5


def plan_changes(document: CampaignDocument) -> tuple[tuple[str, str], ...]:
    """Return what differs from the earlier plan, each with a sentence; empty if nothing does."""
    before, plan = document.replaced, document.plan
    if before is None or plan is None:
        return ()
    changes = [
        (each.option, f"was {each.before}, now {each.now}")
        for each in setting_differences(before.settings, document.settings)
        if each.option != option_of("recipients")  # the lists themselves say it
    ]
    if lists := _list_changes(before.lists or (), document.lists or ()):
        changes.append(("Lists", lists))
    if before.inputs.suppress != plan.inputs.suppress:
        changes.append((option_of("suppress"), _values(before.inputs.suppress, plan.inputs.suppress)))
    elif before.inputs.left_out != plan.inputs.left_out:
        changes.append(("Left out", "opt-out lists or earlier results were read again"))
    if before.inputs.numbers_per_call != plan.inputs.numbers_per_call:
        said = f"was {before.inputs.numbers_per_call:,}, now {plan.inputs.numbers_per_call:,}"
        changes.append((option_of("numbers_per_call"), said))
    if before.inputs.phonenumbers != plan.inputs.phonenumbers:
        said = f"phonenumbers {before.inputs.phonenumbers} was updated to {plan.inputs.phonenumbers}"
        changes.append(("Validation", said))
    if before.inputs.policy != plan.inputs.policy:
        changes.append(("Policy", "its hours, countries or frequency have changed"))
    if before.rows != plan.rows:
        changes.append(("Rows", f"{_rows(before.rows)}; now {_rows(plan.rows)}"))
    approval = document.approval
    if approval is not None and approval.decision is Decision.APPROVED and approval.content != document.content:
        changes.append(("Approval", f"{approval.by} approved the earlier plan, not this one"))
    return tuple(changes)


def _list_changes(before: Sequence[ListRead], now: Sequence[ListRead]) -> str:
    old, new = ({found.name: found.identity for found in lists} for lists in (before, now))
    said = [
        _named("new", [uri for uri in new if uri not in old]),
        _named("changed", [uri for uri in new if uri in old and old[uri] != new[uri]]),
        _named("no longer there", [uri for uri in old if uri not in new]),
    ]
    return "; ".join(each for each in said if each) or ("another order" if [*old] != [*new] else "")


def _named(what: str, uris: Sequence[str]) -> str:
    if not uris:
        return ""
    more = len(uris) - _MOST_LISTS
    return f"{what}: {', '.join(uris[:_MOST_LISTS])}{f' and {more:,} more' if more > 0 else ''}"


def _values(before: Sequence[str], now: Sequence[str]) -> str:
    return f"was {', '.join(before) or 'not given'}, now {', '.join(now) or 'not given'}"


def _rows(rows: Mapping[str, int]) -> str:
    return f"{rows.get(SENDABLE, 0):,} of {sum(rows.values()):,} can be texted"
