"""Checks of the Alibaba account: its key and endpoint, its policy, this machine's clock by the gateway's and S3's."""

from collections.abc import Callable, Iterator
from typing import Final

from globe_sms.flows.command_line.doctor.finding import Verdict
from globe_sms.tasks.account.account import Account
from globe_sms.tasks.account.policy_location import usual_policy_uri
from globe_sms.tasks.gateway import check_connection
from globe_sms.tasks.policy.check_policy import check_lists
from globe_sms.tasks.policy.in_words import rules_in_words
from globe_sms.tasks.policy.read_policy import read_policy
from globe_sms.tasks.store.conditional_write_probe import MAX_CLOCK_SKEW
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access, is_s3
from globe_sms.tasks.store.store_clock import StoreClock

_SIGNATURE_SECONDS: Final = 300.0  # the gateway takes signatures of the last 15 minutes
_SYNCHRONIZE: Final = "synchronize it (chrony, systemd-timesyncd)"


def check_account(account: Account, clock: StoreClock) -> Iterator[tuple[Verdict, str]]:
    """Make the trial call that sends nothing, and tell the account's limits; `clock` learns the gateway's time.

    Raises:
        InputError: no credentials were found, or the gateway can't be reached or refuses them.
    """
    yield Verdict.OK, check_connection(account.endpoint(), account.credentials(), answered=clock.answered)
    rate, size = account.calls_per_second, account.numbers_per_call
    yield Verdict.OK, f"limits: {rate:g} calls a second of up to {size:,} numbers; {account.rate_margin():.1%} unused"


def check_policy(account: Account, results: str | None, s3: Callable[[], S3Access]) -> Iterator[tuple[Verdict, str]]:
    """Read the policy that applies, and every list that it names.

    Raises:
        InputError: it's named but missing, or it or a list can't be read.
    """
    if results is None:
        yield Verdict.NOTE, "not checked: give --results, which says where the policy is"
        return
    policy = read_policy(account, results, s3)
    if policy is None:
        yield (
            Verdict.NOTE,
            f"none: {usual_policy_uri(results)} doesn't exist; `globe-sms policy init` writes a template",
        )
        return
    yield (
        Verdict.OK,
        f"{policy.place} has rules on {', '.join(key for key, _ in rules_in_words(policy.rules)) or 'nothing'}",
    )
    for each in check_lists(policy, s3):
        yield Verdict.OK, f"{each.key} {each.uri}: {each.found}"


def check_clock(gateways: StoreClock, results: str | None, s3: Callable[[], S3Access]) -> Iterator[tuple[Verdict, str]]:
    """Compare this machine's clock with S3's and the gateway's; `gateways` is what `check_account` learned.

    Raises:
        InputError, StoreError: S3 didn't answer.
    """
    if gateways.has_answers:
        yield _by_skew(gateways.skew(), "the gateway's", _SIGNATURE_SECONDS)
    else:
        yield Verdict.NOTE, "the gateway's time isn't known: it didn't answer"
    if results is not None and is_s3(results):
        store = open_store(results, s3)
        next(iter(store.folders()), None)  # its clock learns from every answer
        yield _by_skew(store.clock.skew(), "S3's", MAX_CLOCK_SKEW)


def _by_skew(skew: float, whose: str, limit: float) -> tuple[Verdict, str]:
    if abs(skew) <= MAX_CLOCK_SKEW:
        return Verdict.OK, f"this machine's clock agrees with {whose}"
    verdict = Verdict.WRONG if abs(skew) > limit else Verdict.NOTE
    return verdict, f"this machine's clock is {skew:+.0f} s from {whose}: {_SYNCHRONIZE}"
