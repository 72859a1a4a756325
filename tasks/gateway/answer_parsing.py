"""From an HTTP answer, or from its absence, to what happened to each number of the call.

The body's keys decide, not the HTTP status: `ResponseCode` is the SMS service's answer, `Code` without it the API
gateway's refusal, and anything else (HTML, nothing, half an answer) proves nothing. No bytes raise an exception here.

Source: https://www.alibabacloud.com/help/en/sms/developer-reference/api-dysmsapi-2018-05-01-batchsendmessagetoglobe
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from globe_sms.tasks.gateway.answer_body import read_count, read_fields, read_list, read_text
from globe_sms.tasks.gateway.response_codes import CallVerdict, Code, look_up
from globe_sms.tasks.vocabulary.masking import mask, mask_numbers_in

RETRY_AFTER_HEADER: Final = "x-acs-retry-after"

_LONGEST_DESCRIPTION: Final = 300
_LONGEST_CODE: Final = 100
_CLIENT_ERRORS: Final = range(400, 500)
_POSITIVE_MILLISECONDS: Final = re.compile(r"0*[1-9][0-9]{0,8}")
_DIGITS: Final = re.compile(r"[0-9]{7,}")

_LOOK_IN_THE_CONSOLE: Final = "May have been sent: look for these messages in the console before sending again."
_ASKED_TO_WAIT: Final = "The gateway asks to wait: lower --calls-per-second if this comes often."


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What one call came to; `repr` counts numbers and ids instead of showing them.

    For the verdicts accepted, refused and unclear every number of the call stands in exactly one of `accepted`,
    `failed` and `unclear`. For the others nothing was sent and nothing is settled: all three are empty.

    Attributes:
        verdict: what it proves about the call as a whole.
        code: the gateway's code, None when no answer could be read.
        description: the gateway's own words on one line, runs of seven or more digits masked.
        request_id: to quote in a ticket.
        advice: what it means and what the operator should do; empty when all is well.
        accepted: (number, message id), in the order of the call; the id is None when ids could not be paired.
        failed: numbers that were definitely not sent to.
        unclear: numbers that may have been sent to.
        message_ids: as the gateway gave them.
        ids_unmatched: ids and accepted numbers could not be paired.
        retry_after: seconds to wait at least before the next call of this chunk.
        detail: what happened, for logs; never holds numbers or ids.
        reason: one word for rows that are not accepted: the gateway's code, or `no_reply`, `unreadable_answer`,
            `contradictory_answer`, `failed_list_unmatched`, `unreachable`, `no_credentials`.
    """

    verdict: CallVerdict
    code: str | None = None
    description: str | None = None
    request_id: str | None = None
    advice: str = ""
    accepted: tuple[tuple[str, str | None], ...] = ()
    failed: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    ids_unmatched: bool = False
    retry_after: float | None = None
    detail: str = ""
    reason: str = ""

    def __repr__(self) -> str:
        return (
            f"Outcome(verdict={self.verdict.value!r}, code={self.code!r}, request_id={self.request_id!r}, "
            f"accepted=<{len(self.accepted)}>, failed=<{len(self.failed)}>, unclear=<{len(self.unclear)}>, "
            f"message_ids=<{len(self.message_ids)}>, ids_unmatched={self.ids_unmatched}, "
            f"retry_after={self.retry_after}, reason={self.reason!r}, detail={self.detail!r})"
        )


def no_reply(numbers: tuple[str, ...], detail: str) -> Outcome:
    """Say that the call was presented and no answer was read: every number is unclear."""
    return _unclear(numbers, "no_reply", detail)


def never_presented(detail: str, *, advice: str, reason: str = "unreachable") -> Outcome:
    """Say that not one byte of the call was written: nothing was sent."""
    return Outcome(CallVerdict.UNREACHABLE, advice=advice, detail=detail, reason=reason)


def parse_answer(status: int, headers: Mapping[str, str], body: bytes, numbers: tuple[str, ...]) -> Outcome:
    """Read an answer to a call that presented these numbers; never raises, whatever the bytes.

    Args:
        status: the HTTP status; it only decides about codes that are not in the table.
        headers: of the answer; names in any case.
        body: as received; above 4 MB it is not read.
        numbers: those of the call, in its order, as digits without a plus sign.
    """
    fields = read_fields(body)
    answer = None if fields is None else _read_answer(fields)
    if answer is None:
        detail = f"HTTP {status} with a body of {len(body)} bytes that is no answer of the gateway"
        return _unclear(numbers, "unreadable_answer", detail)
    row = look_up(answer.code, from_gateway=answer.from_gateway, status=status)
    header = _retry_after(headers)
    if header and answer.from_gateway and status in _CLIENT_ERRORS and row.verdict is not CallVerdict.UNCLEAR:
        row = Code(row.code, CallVerdict.THROTTLED, _ASKED_TO_WAIT, row.wait)
    code = mask_numbers_in(answer.code)[:_LONGEST_CODE]
    outcome = _judge(row, code, answer, numbers)
    return replace(
        outcome,
        code=code,
        description=answer.description and mask_numbers_in(answer.description)[:_LONGEST_DESCRIPTION],
        request_id=answer.request_id and _without(numbers, answer.request_id)[:_LONGEST_CODE],
        message_ids=answer.ids or (),
        retry_after=max(header or 0.0, row.wait or 0.0) or None,
        detail=outcome.detail or f"HTTP {status}, code {code}",
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """The fields that matter; a list is None when it is there and cannot be read."""

    code: str
    from_gateway: bool
    description: str | None
    request_id: str | None
    failed_list: tuple[str, ...] | None
    ids: tuple[str, ...] | None
    count: int | None
    count_is_readable: bool

    @property
    def tells_of_sending(self) -> bool:
        """Whether ids or a count say, or may say, that something was sent."""
        return self.ids != () or self.count not in {None, 0} or not self.count_is_readable


def _read_answer(fields: Mapping[str, object]) -> _Answer | None:
    response_code = fields.get("ResponseCode")
    code = read_text(response_code)
    if code is None and response_code not in (None, "") and not isinstance(response_code, str):
        return None  # a verdict of the SMS service is there, but no text: `Code` must not speak for it
    from_gateway = code is None
    if code is None:
        code = read_text(fields.get("Code"))
    if code is None:
        return None
    count, count_is_readable = read_count(fields.get("SuccessCount"))
    return _Answer(
        code=code,
        from_gateway=from_gateway,
        description=read_text(fields.get("Message" if from_gateway else "ResponseDescription")),
        request_id=read_text(fields.get("RequestId")),
        failed_list=read_list(fields.get("FailedList")),
        ids=read_list(fields.get("MessageIdList")),
        count=count,
        count_is_readable=count_is_readable,
    )


def _judge(row: Code, code: str, answer: _Answer, numbers: tuple[str, ...]) -> Outcome:
    """Say what happened to the numbers; the caller adds what is the same for every verdict."""
    if row.verdict is CallVerdict.ACCEPTED:
        return _settle(answer, numbers)
    if answer.tells_of_sending:
        settled = _settle(answer, numbers)
        if settled.accepted and not settled.ids_unmatched and not settled.unclear and answer.count_is_readable:
            return replace(settled, advice=row.advice, detail="refused by its code, yet with an id for every number")
        return _unclear(numbers, code, "refused by its code, yet with signs that something was sent")
    return Outcome(
        row.verdict,
        advice=row.advice,
        failed=numbers if row.verdict is CallVerdict.REFUSED else (),
        unclear=numbers if row.verdict is CallVerdict.UNCLEAR else (),
        reason=code,
    )


def _settle(answer: _Answer, numbers: tuple[str, ...]) -> Outcome:
    """Divide the numbers of a call that was accepted, as far as its answer tells which is which."""
    failed, complete = _match_failed_list(answer.failed_list, numbers)
    remaining = tuple(number for number in numbers if number not in failed)
    in_order = tuple(number for number in numbers if number in failed)
    if remaining and not complete:
        verdict = CallVerdict.ACCEPTED if failed else CallVerdict.UNCLEAR
        detail = "the FailedList names numbers that were not in the call, or cannot be read"
        return Outcome(
            verdict,
            advice=_LOOK_IN_THE_CONSOLE,
            failed=in_order,
            unclear=remaining,
            ids_unmatched=bool(answer.ids),
            detail=detail,
            reason="failed_list_unmatched",
        )
    if remaining and answer.count == 0 and not answer.ids:
        return _unclear(numbers, "contradictory_answer", "accepted by its code, yet with a count of 0 and no ids")
    if not remaining and answer.tells_of_sending:
        return _unclear(numbers, "contradictory_answer", "every number in the FailedList, yet signs of sending")
    ids = answer.ids or ()
    # A list with a repeated id lacks another: from where on it is shifted, nothing tells.
    paired = len(set(ids)) == len(ids) == len(remaining) and answer.count in {None, len(remaining)}
    return Outcome(
        CallVerdict.ACCEPTED,
        accepted=tuple(zip(remaining, ids if paired else [None] * len(remaining), strict=True)),
        failed=in_order,
        ids_unmatched=not paired,
    )


def _match_failed_list(entries: tuple[str, ...] | None, numbers: tuple[str, ...]) -> tuple[set[str], bool]:
    """Return the numbers that the list names, and whether every entry of it was one of them."""
    if entries is None:
        return set(), False
    presented = set(numbers)
    found: set[str] = set()
    complete = True
    for entry in entries:
        digits = entry.removeprefix("+")
        number = next((form for form in (digits, digits.removeprefix("00")) if form in presented), None)
        if number is None:
            complete = False
        else:
            found.add(number)
    return found, complete


def _unclear(numbers: tuple[str, ...], reason: str, detail: str) -> Outcome:
    return Outcome(CallVerdict.UNCLEAR, advice=_LOOK_IN_THE_CONSOLE, unclear=numbers, detail=detail, reason=reason)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the gateway asks to wait; its header is a positive whole number of milliseconds."""
    for name, value in headers.items():
        if name.lower() == RETRY_AFTER_HEADER and _POSITIVE_MILLISECONDS.fullmatch(value.strip()):
            return int(value) / 1000
    return None


def _without(numbers: tuple[str, ...], text: str) -> str:
    """Mask numbers of the call in an id; other digits belong to the id."""
    return _DIGITS.sub(
        lambda run: mask("+" + run.group()) if any(number in run.group() for number in numbers) else run.group(),
        text,
    )
