"""A campaign's configuration under a policy: each rule tightens it, and none loosens it."""

import hashlib
from typing import Any

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.options.checks import LONGEST_REPEAT_AFTER_DAYS
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.policy.rules import PolicyRules
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError


def tightened(config: CampaignConfig, policy: Policy | None) -> CampaignConfig:
    """Return the configuration that a campaign is sent with under a policy.

    Its frozen settings and its id stay those of the campaign's own options, so a changed policy doesn't make it
    another campaign. Codes (OTP) and tests have no hours, as without a policy.

    Raises:
        InputError: the policy leaves none of the hours or countries that the campaign asks for.
    """
    if policy is None:
        return config
    rules = policy.rules
    return config.model_copy(
        update={
            "suppress": tuple(dict.fromkeys((*config.suppress, *rules.suppress))),
            "hours": _hours(config, policy),
            "allow_country": _allowed(config, policy),
            "deny_country": tuple(sorted({*config.deny_country, *rules.deny_country})),
            "approve_above": _approve_above(config, rules),
            "repeat_after": _longer(config.repeat_after, rules.repeat_after),
            "prices": config.prices or rules.prices,
            "settings_before_policy": config.frozen_settings(),
        }
    )


def planning_digest(policy: Policy | None) -> str:
    """Identify a policy's rules on who gets a text and when: a plan made under other rules must be made again.

    Opt-out lists aren't part of it, because their content counts. Empty without a policy.
    """
    if policy is None:
        return ""
    rules = policy.rules.model_dump_json(
        include={"hours", "allow_country", "deny_country", "frequency", "undeliverable"}
    )
    return hashlib.sha256(rules.encode()).hexdigest()


def _hours(config: CampaignConfig, policy: Policy) -> str | None:
    own, allowed = config.quiet_hours, policy.rules.open_hours
    if allowed is None or config.type is MessageType.OTP or config.test_to:
        return config.hours
    if own is None:
        return str(allowed)
    common = own.within(allowed)
    if common is None:
        raise InputError(
            f"--hours {own}: the policy {policy.place} allows only {allowed}, which leaves no hours at all: change "
            "the campaign's hours."
        )
    return str(common)


def _allowed(config: CampaignConfig, policy: Policy) -> tuple[str, ...]:
    own, allowed = config.allow_country, policy.rules.allow_country
    if not own or not allowed:
        return own or allowed
    common = tuple(sorted({*own} & {*allowed}))
    if not common:
        raise InputError(
            f"--allow-country {', '.join(own)}: the policy {policy.place} allows only {', '.join(allowed)}, which "
            "leaves no country at all: change the campaign's countries."
        )
    return common


def _longer(own: str, policys: str | None) -> str:
    return own if policys is None else max(own, policys, key=_seconds)


def _seconds(duration: str) -> float:
    return seconds_of(duration, longest_days=LONGEST_REPEAT_AFTER_DAYS)


def _approve_above(config: CampaignConfig, rules: PolicyRules) -> int | None:
    limits: list[Any] = [limit for limit in (config.approve_above, rules.approve_above) if limit is not None]
    return min(limits, default=None)
