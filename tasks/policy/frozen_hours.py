"""Hours of a policy for a campaign that is already being sent: its chunks were laid out before the hours were known."""

from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.vocabulary.errors import InputError


def check_frozen_hours(plan: FrozenPlan, hours: Hours | None, policy: Policy | None, campaign: str) -> None:
    """Refuse hours that a frozen plan can't keep: one made without hours mixes people of all time zones in a call.

    A plan that was made with hours keeps any others, too.

    Raises:
        InputError: the plan was made without hours, and the policy has some now.
    """
    if hours is None or policy is None:
        return
    if plan.layout is not None and all(group.zones is not None for group in plan.layout.groups):
        return
    raise InputError(
        f"campaign {campaign!r}: the policy {policy.place} now has hours, but the campaign's plan was frozen without "
        "any, so its calls mix people of different time zones. Nothing was sent. Send the rest as another "
        "campaign (another --campaign, and --exclude-results with the results of this one)."
    )
