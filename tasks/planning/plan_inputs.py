"""What a plan is made of beside the frozen settings and the lists, to see whether it must be made again."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import phonenumbers

from globe_sms.tasks.campaign.campaign_json import PlanInputs
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.planning.earlier_results import find_results
from globe_sms.tasks.planning.opt_outs import identities_of
from globe_sms.tasks.store.s3_access import S3Access


def find_plan_inputs(
    config: CampaignConfig, s3: Callable[[], S3Access], *, policy: str = "", now: datetime | None = None
) -> PlanInputs:
    """Find what a plan made now is made of; reads the first bytes of earlier results.

    `policy` identifies the policy's rules on who gets a text and when. The days of `--exclude-days` move on, so with
    earlier results the date counts, too.

    Raises:
        InputError: an opt-out list or earlier results can't be read.
    """
    identities = [f"{config.suppress_damaged} {each}" for each in identities_of(config.suppress, s3)]
    if config.exclude_results:
        found = find_results(config.exclude_results, s3)
        identities += [f"{source.uri} {source.identity}" for source in found]
        identities.append((now or datetime.now(UTC)).date().isoformat())
    if config.exclude_undelivered is not None:
        identities.append(f"undelivered {config.exclude_undelivered}")
    return PlanInputs(
        numbers_per_call=config.numbers_per_call,
        suppress=config.suppress,
        left_out=hashlib.sha256(json.dumps(identities).encode()).hexdigest() if identities else "",
        phonenumbers=phonenumbers.__version__,
        policy=policy,
    )
