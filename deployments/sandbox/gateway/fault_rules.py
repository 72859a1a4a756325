"""The gateway's faults: rules that say which calls go wrong, and how.

A rule sees calls that are signed, within the rate and not taken by an earlier rule. It picks them by probability, every
nth call, the next n calls, or by content: a number, its first digits, or words of a text; by default all. So a code can
be about single rows, such as `code:MOBILE_NUMBER_ILLEGAL` with a `number`. `processed` says whether the numbers of a
faulty call are accepted anyway. Rules apply to sends unless their `action` is query.

| kind | what the caller sees | accepted |
| --- | --- | --- |
| accept_then_drop | the connection closes, no answer | yes |
| drop_before | the same | no |
| reset | a TCP reset, no answer | yes |
| hang | no answer, the connection stays open | yes |
| truncate | half of the body, then the connection closes | yes |
| http_500, http_503 | InternalError, ServiceUnavailable | `processed`, default yes |
| html_502 | a page, no code | `processed`, default yes |
| broken_json, empty_body | HTTP 200 and half a JSON text, or nothing | yes |
| few_accepted | SuccessCount and ids for the first half only, FailedList empty | the first half |
| few_ids, many_ids, no_ids | one MessageId too few, one too many, none | yes |
| ids_shape | lists as `shape` says: array, empty, missing, null | yes |
| failed_share | a random `share` of the numbers in FailedList | the others |
| failed_foreign | FailedList has numbers that weren't in the call | yes |
| throttle | Throttling.User, with `retry_after_ms` if set | no |
| nonce_used, clock | SignatureNonceUsed, InvalidTimeStamp.Expired | no |
| code:RESPONSE_CODE | a business code with HTTP 200 | `processed`, default no |
| gateway_code:Code:status | a gateway code with that HTTP status | `processed`, default no |
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_KINDS = {
    "accept_then_drop", "drop_before", "reset", "hang", "truncate", "http_500", "http_503", "html_502", "broken_json",
    "empty_body", "few_accepted", "few_ids", "many_ids", "no_ids", "ids_shape", "failed_share", "failed_foreign",
    "throttle", "nonce_used", "clock",
}  # fmt: skip
_CODE = re.compile(r"code:\w+|gateway_code:[\w.]+:[45]\d\d", re.ASCII)
_NEVER_PROCESSED = {"drop_before", "throttle", "nonce_used", "clock"}


class FaultRule(BaseModel):
    """One rule: a kind, at most one way to pick calls (none: every call), and the kind's own options."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    probability: Annotated[float | None, Field(gt=0, le=1)] = None
    every: Annotated[int | None, Field(ge=1, description="every nth call that the rule sees")] = None
    next: Annotated[int | None, Field(ge=1, description="the next n calls")] = None
    number: Annotated[str | None, Field(description="calls whose To contains it; digits, no plus")] = None
    numbers: Annotated[tuple[str, ...], Field(description="calls whose To contains any of them")] = ()
    prefix: Annotated[str | None, Field(description="calls with a number that starts with these digits")] = None
    text: Annotated[str | None, Field(description="calls with a message that contains it")] = None
    key_id: Annotated[str | None, Field(description="only calls of this account")] = None
    action: Annotated[Literal["send", "query"], Field(description="query: QueryMessage; then nothing is accepted")] = (
        "send"
    )
    seed: Annotated[int, Field(description="for probability and failed_share")] = 0
    processed: Annotated[bool | None, Field(description="None: the default in the table")] = None
    retry_after_ms: Annotated[int | None, Field(ge=1)] = None
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    shape: Literal["array", "empty", "missing", "null"] = "array"
    lists: Annotated[Literal["both", "failed", "ids"], Field(description="which lists ids_shape changes")] = "both"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind not in _KINDS and not _CODE.fullmatch(self.kind):
            kinds = ", ".join(sorted(_KINDS))
            msg = f"unknown fault kind {self.kind!r}: use one of {kinds}, code:CODE or gateway_code:Code:status"
            raise ValueError(msg)
        ways = (self.probability, self.every, self.next, self.number, self.numbers or None, self.prefix, self.text)
        if sum(way is not None for way in ways) > 1:
            msg = "a fault rule picks calls in one way: probability, every, next, number, numbers, prefix or text"
            raise ValueError(msg)
        return self

    @property
    def accepts(self) -> bool:
        """Whether the numbers of a call taken by this rule are accepted."""
        if self.kind in _NEVER_PROCESSED:
            return False
        if self.processed is not None:
            return self.processed
        return not self.kind.startswith(("code:", "gateway_code:"))


class Latency(BaseModel):
    """The time until a call arrives, or until its answer: uniform between two bounds, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Annotated[float, Field(ge=0, le=3600)] = 0.0
    high: Annotated[float, Field(ge=0, le=3600)] = 0.0
    seed: int = 0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high < self.low:
            msg = f"a latency's high ({self.high}) must not be below its low ({self.low})"
            raise ValueError(msg)
        return self


@dataclass(slots=True)
class _Active:
    rule: FaultRule
    dice: random.Random
    seen: int = 0

    def takes(self, numbers: Sequence[str], texts: Sequence[str], key_id: str, action: str) -> bool:
        rule = self.rule
        if rule.key_id not in (None, key_id) or rule.action != action:
            return False
        self.seen += 1
        if rule.probability is not None:
            return self.dice.random() < rule.probability
        if rule.every is not None:
            return self.seen % rule.every == 0
        if rule.next is not None:
            return self.seen <= rule.next
        return self._is_about(numbers, texts)

    def _is_about(self, numbers: Sequence[str], texts: Sequence[str]) -> bool:
        rule = self.rule
        if rule.prefix is not None:
            return any(number.startswith(rule.prefix) for number in numbers)
        if rule.text is not None:
            return any(rule.text in text for text in texts)
        if rule.numbers:
            return not set(rule.numbers).isdisjoint(numbers)
        return rule.number is None or rule.number in numbers


@dataclass(slots=True)
class Faults:
    """The active rules, the latency and the delay of arrivals; not thread-safe, belongs to one event loop."""

    _active: list[_Active] = field(default_factory=list[_Active])
    _latency: Latency = field(default_factory=Latency)
    _dice: random.Random = field(default_factory=lambda: random.Random(0))
    _delay: Latency = field(default_factory=Latency)
    _delay_dice: random.Random = field(default_factory=lambda: random.Random(0))

    @property
    def rules(self) -> list[FaultRule]:
        """The active rules, in the order they're applied."""
        return [active.rule for active in self._active]

    @property
    def latency(self) -> Latency:
        """The current latency."""
        return self._latency

    @latency.setter
    def latency(self, latency: Latency) -> None:
        self._latency = latency
        self._dice.seed(latency.seed)

    @property
    def arrival_delay(self) -> Latency:
        """How long calls take to arrive, at present."""
        return self._delay

    @arrival_delay.setter
    def arrival_delay(self, delay: Latency) -> None:
        self._delay = delay
        self._delay_dice.seed(delay.seed)

    def add(self, rule: FaultRule) -> None:
        """Add a rule after the active ones."""
        self._active.append(_Active(rule, random.Random(rule.seed)))

    def clear(self) -> None:
        """Remove all rules; the latency stays."""
        self._active.clear()

    def draw(
        self,
        numbers: Sequence[str],
        key_id: str,
        *,
        texts: Sequence[str] = (),
        action: Literal["send", "query"] = "send",
    ) -> tuple[FaultRule, random.Random] | None:
        """Return the first rule that takes this call, with its random generator."""
        return next(((a.rule, a.dice) for a in self._active if a.takes(numbers, texts, key_id, action)), None)

    def draw_latency(self) -> float:
        """Return the latency of this call's answer, in seconds."""
        return self._dice.uniform(self._latency.low, self._latency.high)

    def draw_arrival_delay(self) -> float:
        """Return the delay of this call's arrival, in seconds."""
        return self._delay_dice.uniform(self._delay.low, self._delay.high)
