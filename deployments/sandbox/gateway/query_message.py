"""The gateway's answers to QueryMessage, and the log of queries.

A query returns one message, by its id, and only to the account that sent it. Until `visible_after` has passed, it
finds nothing. `Status` is 1 for delivered, 2 for failed or expired, 3 for pending; `ErrorCode`, `ErrorDescription` and
`ReceiveDate` are present once the message has ended. The limit is 300 queries in any sliding second, apart from sends.
Source: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2018-05-01-querymessage
"""

import json
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path

import phonenumbers
from babel import Locale
from pydantic import BaseModel, ConfigDict

from globe_sms.deployments.sandbox.gateway import answers
from globe_sms.deployments.sandbox.gateway.answers import ACCEPTED, Answer
from globe_sms.deployments.sandbox.gateway.call_parameters import parameters_of
from globe_sms.deployments.sandbox.gateway.deliveries import Deliveries, Message
from globe_sms.deployments.sandbox.gateway.delivery_fates import FateKind
from globe_sms.deployments.sandbox.gateway.fault_rules import FaultRule, Faults
from globe_sms.deployments.sandbox.gateway.faulty_answers import ENDINGS, Ending, garbled, ordered_refusal
from globe_sms.deployments.sandbox.gateway.rate_window import SlidingWindow, busiest_second
from globe_sms.deployments.sandbox.gateway.refusals import RefusedError, business_refusal, gateway_refusal, missing
from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.signature_check import Call, Door

QUERIES_PER_SECOND = 300
EXPIRED_CODE = "EXPIRED"
_MESSAGE_ID = re.compile(r"[0-9]{1,32}", re.ASCII)
_BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Query:
    """A query and its answer; `status` is the returned Status, empty if there was none."""

    wall: float
    monotonic: float
    key_id: str
    message_id: str
    admitted: bool
    code: str
    status: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a query, how the connection ends, and the line for the log."""

    answer: Answer
    ending: Ending
    query: Query


class Queries:
    """Answers queries; shares the door, and so the nonces, with sends. Not thread-safe."""

    def __init__(self, accounts: Sequence[Account], door: Door, faults: Faults, deliveries: Deliveries) -> None:
        self._door = door
        self._windows = {account.key_id: SlidingWindow(QUERIES_PER_SECOND) for account in accounts}
        self._faults = faults
        self._deliveries = deliveries

    def ask(self, call: Call, *, wall: float, monotonic: float) -> Reply:
        """Answer a query whose headers arrived at `wall` (seconds since the epoch) and `monotonic`."""
        request, xml = answers.request_id(), answers.wants_xml(call.header("accept"))
        asked = Query(wall, monotonic, call.claimed_key_id, "", admitted=False, code="", status="", fault=None)
        rule: FaultRule | None = None
        try:
            account, query = self._door.admit(call, now=wall)
            asked = replace(asked, key_id=account.key_id, message_id=_message_id(parameters_of(call, query)))
            self._take_a_place(account.key_id, monotonic)
            rule, _ = self._faults.draw([], account.key_id, action="query") or (None, None)
            asked = replace(asked, admitted=True, fault=rule.kind if rule else None)
            fields = self._told(asked, rule)
            asked = replace(asked, status=str(fields["Status"]))
            answer = answers.query_answered(fields, request, xml=xml)
        except RefusedError as error:
            answer = answers.query_refused(error.refusal, request, xml=xml)
        ending = ENDINGS.get(rule.kind, Ending.SEND) if rule else Ending.SEND
        answer = garbled(rule, answer) if rule else answer
        return Reply(answer, ending, replace(asked, code=answer.code))

    def _take_a_place(self, key_id: str, monotonic: float) -> None:
        window = self._windows[key_id]
        if not window.has_room(monotonic):
            raise RefusedError(gateway_refusal("Throttling.User"))
        window.take(monotonic)

    def _told(self, asked: Query, rule: FaultRule | None) -> dict[str, object]:
        ordered = ordered_refusal(rule) if rule else None
        if ordered is not None:
            raise RefusedError(ordered)
        if not _MESSAGE_ID.fullmatch(asked.message_id):
            raise RefusedError(business_refusal("INVALID_PARAMETERS", "MessageId isn't a message's id"))
        message = self._deliveries.find(asked.message_id, asked.key_id)
        if message is None or asked.wall < message.fate.visible_at:
            raise RefusedError(business_refusal("DATA_NOT_EXIST"))
        return _fields(message, asked.wall)


class QueryLog:
    """Appends queries to a file and keeps counts; belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._forget()

    def _forget(self) -> None:
        self._times, self._admitted = array("d"), array("d")
        self._calls = self._throttled = self._finals = 0

    def write(self, query: Query) -> None:
        """Count and write a query; it has left the process when this returns."""
        self._calls += 1
        self._throttled += query.code == "Throttling.User"
        self._finals += query.status in {"1", "2"}
        self._times.append(query.monotonic)
        if query.admitted:
            self._admitted.append(query.monotonic)
        self._file.write(json.dumps(asdict(query), separators=(",", ":")).encode() + b"\n")

    def stats(self) -> "QueryStats":
        """Return counts since the start of this process or the last reset."""
        return QueryStats(
            calls=self._calls,
            admitted=len(self._admitted),
            throttled=self._throttled,
            told_final=self._finals,
            max_in_second=busiest_second(self._times),
            first=min(self._times, default=None),
            last=max(self._times, default=None),
        )

    def reset(self) -> None:
        """Forget every query, on disk too."""
        self._file.truncate(0)
        self._forget()


class QueryStats(BaseModel):
    """Counts of the log of queries, over all accounts; `first` and `last` are monotonic seconds."""

    model_config = ConfigDict(frozen=True)

    calls: int
    admitted: int
    throttled: int
    told_final: int
    max_in_second: int
    first: float | None
    last: float | None


def rfc_2822(at: float) -> str:
    """Format a time (seconds since the epoch) as documented: `Mon, 24 Dec 2018 16:58:22 +0800`."""
    return format_datetime(datetime.fromtimestamp(at, _BEIJING))


def _message_id(parameters: Mapping[str, str]) -> str:
    if "MessageId" not in parameters:
        raise RefusedError(missing("MessageId"))
    if len(parameters) > 1:
        raise RefusedError(gateway_refusal("InvalidParameter", "Only MessageId is known."))
    return parameters["MessageId"]


def _fields(message: Message, now: float) -> dict[str, object]:
    fate = message.fate
    fields: dict[str, object] = {
        "ResponseCode": "OK",
        "ResponseDescription": ACCEPTED,
        "MessageId": message.message_id,
        "To": message.number,
        "Message": message.text,
        "SendDate": rfc_2822(message.accepted_at),
        "NumberDetail": _number_detail(message.number),
        "Status": "3",
    }
    if fate.kind is FateKind.NEVER_REPORTED or now < fate.ends_at:
        return fields
    delivered = fate.kind is FateKind.DELIVERED
    code = fate.code or EXPIRED_CODE
    return {
        **fields,
        "Status": "1" if delivered else "2",
        "ErrorCode": "DELIVERED" if delivered else code,
        "ErrorDescription": "success" if delivered else f"not delivered: {code}",
        "ReceiveDate": rfc_2822(fate.ends_at),
    }


def _number_detail(number: str) -> dict[str, str]:
    region = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{number}")) or ""
    return {"Carrier": f"{region} Mobile", "Region": region, "Country": _country(region)}


@lru_cache
def _country(region: str) -> str:
    return str(Locale("en").territories.get(region, region))
