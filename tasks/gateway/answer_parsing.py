"""Turns an HTTP answer, or a missing one, into what happened to each number of the call.

The body's keys decide, not the HTTP status: `ResponseCode` is the SMS service's answer, `Code` without it is the API
gateway's refusal, and anything else (HTML, nothing, half an answer) proves nothing. No body raises an exception.

Source: https://www.alibabacloud.com/help/en/sms/developer-reference/api-dysmsapi-2018-05-01-batchsendmessagetoglobe
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from globe_sms.tasks.gateway.answer_body import read_count, read_fields, read_list, read_text
from globe_sms.tasks.gateway.response_codes import CallVerdict, Code, classify_code
from globe_sms.tasks.vocabulary.masking import mask, mask_numbers_in

RETRY_AFTER_HEADER: Final = "x-acs-retry-after"

_LONGEST_DESCRIPTION: Final = 300
_LONGEST_CODE: Final = 100
_CLIENT_ERRORS: Final = range(400, 500)
_POSITIVE_MILLISECONDS: Final = re.compile(r"0*[1-9][0-9]{0,8}")
_DIGITS: Final = re.compile(r"[0-9]{7,}")

_CHECK_THE_CONSOLE: Final = "May have been sent: check the console for these messages before sending again."
_ASKED_TO_WAIT: Final = "The gateway asks to wait: lower --calls-per-second if this happens often."


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """The outcome of one call; `repr` counts numbers and ids instead of showing them.

    For the verdicts accepted and unclear, each number of the call is in exactly one of `accepted`, `failed` and
    `unclear`. For the others nothing was sent, and all three are empty.

    Attributes:
        verdict: what the answer proves about the call as a whole.
        code: the gateway's code; None without a readable answer.
        description: the gateway's own words on one line, runs of seven or more digits masked.
        request_id: the gateway's id of the request, for support tickets.
        advice: what the outcome means and what the operator should do; empty on success.
        accepted: (number, message id), in the order of the call; the id is None if ids couldn't be paired.
        failed: numbers that definitely weren't sent to.
        unclear: numbers that may have been sent to.
        message_ids: the ids as the gateway gave them.
        ids_unmatched: ids and accepted numbers couldn't be paired.
        retry_after: the minimum seconds to wait before this chunk's next call.
        detail: what happened, for logs; never holds numbers or ids.
        reason: one word for rows that aren't accepted: the gateway's code, or `no_reply`, `unreadable_answer`,
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
    """Return the outcome of a call that was written but not answered: every number is unclear."""
    return _unclear(numbers, "no_reply", detail)


def unreachable(detail: str, *, advice: str, reason: str = "unreachable") -> Outcome:
    """Return the outcome of a call that was never written, not even in part: nothing was sent."""
    return Outcome(CallVerdict.UNREACHABLE, advice=advice, detail=detail, reason=reason)


def parse_answer(status: int, headers: Mapping[str, str], body: bytes, numbers: tuple[str, ...]) -> Outcome:
    """Return the outcome that an answer means; never raises, whatever the bytes.

    Args:
        status: the HTTP status; it only matters for 429 and for codes that aren't in the table.
        headers: the answer's headers, names in any case.
        body: the answer's body; one above 4 MB isn't read.
        numbers: the call's numbers, in its order, as digits without a plus sign.
    """
    fields = read_fields(body)
    answer = None if fields is None else _read_answer(fields)
    if answer is None:
        detail = f"HTTP {status} with a body of {len(body)} bytes that isn't the gateway's"
        return _unclear(numbers, "unreadable_answer", detail)
    row = classify_code(answer.code, from_gateway=answer.from_gateway, status=status)
    header = _retry_after(headers)
    if header and answer.from_gateway and status in _CLIENT_ERRORS and row.verdict is not CallVerdict.UNCLEAR:
        row = Code(row.code, CallVerdict.THROTTLED, _ASKED_TO_WAIT, row.wait)
    code = mask_numbers_in(answer.code)[:_LONGEST_CODE]
    outcome = _outcome_of(row, code, answer, numbers)
    return replace(
        outcome,
        code=code,
        description=answer.description and mask_numbers_in(answer.description)[:_LONGEST_DESCRIPTION],
        request_id=answer.request_id and _mask_call_numbers(numbers, answer.request_id)[:_LONGEST_CODE],
        message_ids=answer.ids or (),
        retry_after=max(header or 0.0, row.wait or 0.0) or None,
        detail=outcome.detail or f"HTTP {status}, code {code}",
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """The fields that matter; a list is None if it's present but not readable."""

    code: str
    from_gateway: bool
    description: str | None
    request_id: str | None
    failed_list: tuple[str, ...] | None
    ids: tuple[str, ...] | None
    count: int | None
    count_is_readable: bool

    @property
    def suggests_sending(self) -> bool:
        """Whether ids or a count indicate that something was, or may have been, sent."""
        return self.ids != () or self.count not in {None, 0} or not self.count_is_readable


def _read_answer(fields: Mapping[str, object]) -> _Answer | None:
    response_code = fields.get("ResponseCode")
    code = read_text(response_code)
    if code is None and response_code not in (None, "") and not isinstance(response_code, str):
        return None  # the SMS service answered, but not with a text: `Code` must not replace its answer
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


def _outcome_of(row: Code, code: str, answer: _Answer, numbers: tuple[str, ...]) -> Outcome:
    """Return what happened to the numbers; the caller adds the fields that all verdicts share."""
    if row.verdict is CallVerdict.ACCEPTED:
        return _divide_numbers(answer, numbers)
    if answer.suggests_sending:
        settled = _divide_numbers(answer, numbers)
        if settled.accepted and not settled.ids_unmatched and not settled.unclear and answer.count_is_readable:
            return replace(settled, advice=row.advice, detail="refused by its code, but with an id for every number")
        return _unclear(numbers, code, "refused by its code, but with signs that something was sent")
    return Outcome(
        row.verdict,
        advice=row.advice,
        unclear=numbers if row.verdict is CallVerdict.UNCLEAR else (),
        reason=code,
    )


def _divide_numbers(answer: _Answer, numbers: tuple[str, ...]) -> Outcome:
    """Divide the numbers of an accepted call into accepted, failed and unclear ones."""
    failed, complete = _match_failed_list(answer.failed_list, numbers)
    remaining = tuple(number for number in numbers if number not in failed) if failed else numbers
    in_order = tuple(number for number in numbers if number in failed) if failed else ()
    if remaining and not complete:
        verdict = CallVerdict.ACCEPTED if failed else CallVerdict.UNCLEAR
        detail = "the FailedList names numbers that weren't in the call, or isn't readable"
        return Outcome(
            verdict,
            advice=_CHECK_THE_CONSOLE,
            failed=in_order,
            unclear=remaining,
            ids_unmatched=bool(answer.ids),
            detail=detail,
            reason="failed_list_unmatched",
        )
    ids = answer.ids or ()
    contradiction = _contradiction(answer, len(remaining))
    if contradiction:
        return _unclear(numbers, "contradictory_answer", contradiction)
    # A list with a repeated id lacks another one, and it's unknown from where on it is shifted.
    paired = len(set(ids)) == len(ids) == len(remaining)
    return Outcome(
        CallVerdict.ACCEPTED,
        accepted=tuple(zip(remaining, ids if paired else [None] * len(remaining), strict=True)),
        failed=in_order,
        ids_unmatched=not paired,
    )


def _contradiction(answer: _Answer, remaining: int) -> str | None:
    """Say how the counts of an OK contradict each other, where the FailedList leaves `remaining` numbers; None if not.

    SuccessCount decides: if it confirms what the FailedList says, the numbers were accepted, and ids that are too few
    or too many can't be paired but prove nothing against it. Both SuccessCount and the ids may be absent; then what is
    there must agree with the FailedList.
    """
    ids = len(answer.ids or ())
    if not remaining and answer.suggests_sending:
        return "every number is in the FailedList, but there are signs of sending"
    if answer.count is not None:
        said = f"a SuccessCount of {answer.count}"
        return None if answer.count == remaining else f"{said}, but the FailedList leaves {remaining} numbers"
    if ids in (0, remaining):
        return None
    return f"{ids} message ids and no SuccessCount, but the FailedList leaves {remaining} numbers"


def _match_failed_list(entries: tuple[str, ...] | None, numbers: tuple[str, ...]) -> tuple[set[str], bool]:
    """Return the call's numbers that the list names, and whether every entry named one."""
    if entries is None:
        return set(), False
    in_call = set(numbers)
    found: set[str] = set()
    complete = True
    for entry in entries:
        digits = entry.removeprefix("+")
        number = next((form for form in (digits, digits.removeprefix("00")) if form in in_call), None)
        if number is None:
            complete = False
        else:
            found.add(number)
    return found, complete


def _unclear(numbers: tuple[str, ...], reason: str, detail: str) -> Outcome:
    return Outcome(CallVerdict.UNCLEAR, advice=_CHECK_THE_CONSOLE, unclear=numbers, detail=detail, reason=reason)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the gateway asks to wait; its header is a positive integer of milliseconds."""
    for name, value in headers.items():
        if name.lower() == RETRY_AFTER_HEADER and _POSITIVE_MILLISECONDS.fullmatch(value.strip()):
            return int(value) / 1000
    return None


def _mask_call_numbers(numbers: tuple[str, ...], text: str) -> str:
    """Mask the call's numbers in an id; other digits are part of the id."""
    return _DIGITS.sub(
        lambda run: mask("+" + run.group()) if any(number in run.group() for number in numbers) else run.group(),
        text,
    )
