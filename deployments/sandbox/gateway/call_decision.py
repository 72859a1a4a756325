"""Decides on one call, without I/O: signature, rate, checks, faults, acceptance, answer."""

import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from globe_sms.deployments.sandbox.gateway import answers
from globe_sms.deployments.sandbox.gateway.answers import Acceptance, Answer, Shape
from globe_sms.deployments.sandbox.gateway.call_parameters import parameters_of
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule, Faults
from globe_sms.deployments.sandbox.gateway.faulty_answers import ENDINGS, Ending, garbled, ordered_refusal
from globe_sms.deployments.sandbox.gateway.rate_window import FixedWindow, RateWindow, SlidingWindow, TokenBucket
from globe_sms.deployments.sandbox.gateway.refusals import Refusal, RefusedError, business_refusal, gateway_refusal
from globe_sms.deployments.sandbox.gateway.request_checks import Batch, check
from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.signature_check import Call, Door

_TURNED_AWAY = {"throttle", "nonce_used", "clock"}
_WINDOWS: Mapping[str, Callable[[int], RateWindow]] = {
    "sliding": SlidingWindow,
    "fixed": FixedWindow,
    "bucket": TokenBucket,
}
_LISTS = {
    "both": frozenset({"MessageIdList", "FailedList"}),
    "failed": frozenset({"FailedList"}),
    "ids": frozenset({"MessageIdList"}),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a call."""

    key_id: str
    answer: Answer
    request_id: str
    admitted: bool = False
    batch: Batch | None = None
    acceptance: Acceptance | None = None
    fault: str | None = None
    ending: Ending = Ending.SEND


class Judge:
    """Holds the gateway's state of sends: nonces (`door`), rate windows, rules, MessageIds. Not thread-safe."""

    def __init__(self, accounts: Sequence[Account], faults: Faults) -> None:
        self.door = Door(accounts)
        self._windows = {
            account.key_id: _WINDOWS[account.rate_window](account.calls_per_second) for account in accounts
        }
        self._faults = faults
        # A restarted gateway must not repeat an id, so the ids start with the time of the start.
        self._message_ids = itertools.count(time.time_ns() // 1_000 * 1_000)

    def judge(self, call: Call, *, wall: float, monotonic: float) -> Outcome:
        """Decide on a call whose headers arrived at `wall` (seconds since the epoch) and `monotonic`."""
        request, xml = answers.request_id(), answers.wants_xml(call.header("accept"))
        try:
            account, query = self.door.admit(call, now=wall)
        except RefusedError as error:
            return Outcome(call.claimed_key_id, answers.refused(error.refusal, request, xml=xml), request)
        window = self._windows[account.key_id]
        batch: Batch | None = None
        refusal: Refusal | None = None
        try:
            batch = check(parameters_of(call, query), account)
        except RefusedError as error:
            refusal = error.refusal
        if not window.has_room(monotonic):
            if account.count_refused:
                window.take(monotonic)
            answer = answers.refused(_throttled(account), request, xml=xml)
            return Outcome(account.key_id, answer, request, batch=batch)
        numbers, texts = (batch.numbers, batch.messages) if batch else ((), ())
        drawn = self._faults.draw(numbers, account.key_id, texts=texts)
        rule, dice = drawn or (None, random.Random(0))
        turned_away = rule is not None and rule.kind in _TURNED_AWAY
        if not turned_away:
            window.take(monotonic)
        acceptance = self._accept(batch, rule, dice) if batch and (rule is None or rule.accepts) else None
        return Outcome(
            account.key_id,
            _answer(rule, acceptance, refusal, request, xml=xml),
            request,
            admitted=not turned_away,
            batch=batch,
            acceptance=acceptance,
            fault=rule.kind if rule else None,
            ending=ENDINGS.get(rule.kind, Ending.SEND) if rule else Ending.SEND,
        )

    def _accept(self, batch: Batch, rule: FaultRule | None, dice: random.Random) -> Acceptance:
        failed = batch.impossible
        if rule is not None and rule.kind == "failed_share":
            failed |= {number for number in batch.numbers if dice.random() < rule.share}
        # zip takes a number first, so that no id is wasted at the end of the list
        good = [number for number in batch.numbers if number not in failed]
        if rule is not None and rule.kind == "few_accepted":
            del good[len(good) // 2 :]
        accepted = {number: str(message_id) for number, message_id in zip(good, self._message_ids, strict=False)}
        return Acceptance(batch.sender, accepted, tuple(number for number in batch.numbers if number in failed))


def _throttled(account: Account) -> Refusal:
    if account.throttle_as == "business":
        return business_refusal("QPS_LIMIT_CONTROL")
    refusal = gateway_refusal("Throttling.User")
    return Refusal(refusal.code, refusal.message, refusal.status, account.retry_after_ms)


def _answer(
    rule: FaultRule | None, acceptance: Acceptance | None, refusal: Refusal | None, request: str, *, xml: bool
) -> Answer:
    if rule is not None:
        ordered = ordered_refusal(rule)
        if ordered is not None:
            return answers.refused(ordered, request, xml=xml)
        if rule.kind == "html_502":  # as from a front end without a backend, whether or not the call was taken
            return answers.bad_gateway()
    if acceptance is None:
        return answers.refused(refusal or gateway_refusal("ServiceUnavailable"), request, xml=xml)
    if rule is None:
        return answers.accepted(acceptance, request, Shape(), xml=xml)
    return garbled(rule, answers.accepted(acceptance, request, _shape(rule, acceptance), xml=xml))


def _shape(rule: FaultRule, acceptance: Acceptance) -> Shape:
    ids = tuple(acceptance.accepted.values())
    match rule.kind:
        case "few_ids":
            return Shape(ids=ids[:-1])
        case "many_ids":
            return Shape(ids=(*ids, "9" + (ids[-1] if ids else "0")))
        case "no_ids":
            return Shape(ids=())
        case "ids_shape":
            return Shape(lists=rule.shape, which=_LISTS[rule.lists])
        case "failed_foreign":
            known = {*acceptance.accepted, *acceptance.failed}
            strangers = (str(number) for number in itertools.count(99_900_000_000))
            return Shape(failed=tuple(itertools.islice((n for n in strangers if n not in known), 2)))
        case _:
            return Shape()
