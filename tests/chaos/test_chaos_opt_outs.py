"""People who opt out while a campaign is killed and run again, also with a resend of what a kill left unknown.

Some stand in the campaign's own list then, some in a list that the policy names from then on.
"""

from pathlib import Path

import pytest

from tests.chaos.campaign_under_test import Stage
from tests.chaos.long_form import LONG, dice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_KILLS = 5 if LONG else 1
_OPT_OUTS = 25  # after each kill, among everybody: those who were texted, are unknown or are left


@pytest.mark.parametrize("resend", [False, True] if LONG else [True])
def test_who_opts_out_between_a_kill_and_the_next_run_is_in_no_call_of_it(stage: Stage, *, resend: bool) -> None:
    """Whatever their chunks had come to; without a resend, who may have been texted isn't called suppressed."""
    throw, seed = dice()
    policy = stage.folder / "policy.toml"
    policy.write_text("# it names no lists yet\n")
    campaign = stage.campaign("s3" if resend else "local", chunks=160 if LONG else 50, GLOBE_SMS_POLICY=str(policy))
    optouts, policys = Path(f"{campaign.list}.optouts"), Path(f"{campaign.list}.policy")
    for each in (optouts, policys):
        each.write_text("phone\n")
    options = [f"--suppress={optouts}", *(["--on-unknown=resend"] if resend else [])]
    opted_out: dict[str, int] = {}
    for _ in range(_KILLS):
        command = stage.start(campaign, *options)
        stage.await_arrivals(stage.sandbox.gateway.stats().calls + throw.randint(8, 20), command)
        command.ends_within(throw.uniform(0.0, 0.1))
        command.kill()
        new = throw.sample(sorted(set(campaign.numbers) - opted_out.keys()), _OPT_OUTS)
        first = max((arrival.sequence for arrival in stage.sandbox.gateway.log()), default=-1) + 1
        opted_out |= dict.fromkeys(new, first)
        for each, some in ((optouts, new[::2]), (policys, new[1::2])):
            with each.open("a") as file:
                file.writelines(f"{number}\n" for number in some)
        policy.write_text(f'suppress = ["{policys}"]\n')

    last = stage.run(campaign, *options)

    assert last.code in (0, 3), (seed, last.stderr)
    resent = set(campaign.numbers) if resend else set[str]()
    # Each run after the first resends what the one before left unknown.
    assert stage.faults(campaign, resent=resent, resends=_KILLS, opted_out=opted_out) == [], seed
    found = stage.statuses(campaign)
    assert {status for status, _ in found} <= {"accepted", "unknown", "suppressed"}, (seed, found)
    assert found["suppressed", str(optouts)], seed
    assert found["suppressed", str(policys)], seed
