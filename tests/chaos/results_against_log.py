"""The judge: holds a campaign's results against the gateway's log of arrivals, and believes nothing else.

It shares no code with the product. What it knows of the gateway is the log's `accepted` (what really happened,
whatever the caller was told) and the codes below, each of which proves to a caller that nothing was sent.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival

PROVED_UNSENT = frozenset(
    {
        # The rate, the clock, the nonce: the same run may present the chunk again.
        "Throttling",
        "Throttling.User",
        "Throttling.Api",
        "QPS_LIMIT_CONTROL",
        "SignatureNonceUsed",
        "InvalidTimeStamp.Expired",
        # The whole call was refused for some of its numbers, or for their count: halves of it may be presented.
        "MOBILE_NUMBER_ILLEGAL",
        "NOT_SUPPORTED_COUNTRY",
        "BUSINESS_LIMIT_CONTROL_PHONE",
        "MOBILE_COUNT_OVER_LIMIT",
        # The account, the sender, the text or a parameter was refused: a later run may.
        "INVALID_SENDERID",
        "SMS_CONTENT_ILLEGAL",
        "BLACK_KEY_CONTROL_LIMIT",
        "SMS_SECURITY_INTERCEPTED",
        "InvalidAccessKeyId.NotFound",
        "InvalidParameter",
        "MissingType",
        "AccessDenied",
        "Account.Arrearage",
        "AMOUNT_NOT_ENOUGH",
        "OUT_OF_SERVICE",
        "RAM_PERMISSION_DENY",
        "BUSINESS_LIMIT_DAY",
        "Forbidden.RAM",
    }
)
# An unknown code proves it with a 4xx status alone.
UNKNOWN_REFUSALS = frozenset({("SomethingNew", 404), ("SomethingNew", 429)})


@dataclass(frozen=True, slots=True)
class Row:
    """An input row: where it stands, what stands there, and the number (digits) that it should be sent to.

    `number` is None for a row that must not be sent; `status` is then what the results must say of it.
    """

    source: str
    row: int
    recipient: str
    number: str | None = None
    status: str | None = None


def find_faults(
    arrivals: Iterable[Arrival],
    results: pl.DataFrame,
    rows: Sequence[Row],
    *,
    resent: Collection[str] = (),
    resends: int = 1,
    unheard: bool = False,
    opted_out: Mapping[str, int] | None = None,
) -> list[str]:
    """Say what is wrong, a line a fault; an empty list means that every promise was kept.

    `arrivals` are the campaign's own, in any order. `resent` are the numbers (digits) that the operator had
    presented once more with `--on-unknown resend`, in so many runs (`resends`). `unheard`: the gateway was killed, so
    a call may have been written to it that its log does not have; what is unknown need not have arrived then.
    `opted_out` are numbers (digits) that opted out while the campaign was under way, each with the first arrival that
    must not have it. One that a resend left out is suppressed, whatever happened to the call before.
    """
    opted_out = opted_out or {}
    presented: dict[str, list[Arrival]] = {}
    for arrival in sorted(arrivals, key=lambda one: one.sequence):
        for number in arrival.numbers:
            presented.setdefault(number, []).append(arrival)
    return [
        *_twice(presented, dict.fromkeys(resent, 1 + resends)),
        *_lost(results, rows),
        *_after_opting_out(presented, opted_out),
        *(
            fault
            for row, found in _pairs(results, rows)
            for fault in _misreported(row, found, presented, opted_out, resent)
        ),
        *([] if unheard else _never_presented(results, rows, presented)),
        *_strangers(presented, rows),
    ]


def _twice(presented: Mapping[str, Sequence[Arrival]], times: Mapping[str, int]) -> Iterable[str]:
    for number, arrivals in presented.items():
        allowed = times.get(number, 1)
        taken = [arrival.sequence for arrival in arrivals if number in arrival.accepted]
        if len(taken) > allowed:
            yield f"{number} was accepted {len(taken)} times, in the arrivals {taken}"
        final = [place for place, arrival in enumerate(arrivals) if not _proved_unsent(arrival)]
        again = [place for place in final if place < len(arrivals) - 1]
        if len(again) >= allowed:
            codes = [arrival.fault or arrival.code for arrival in arrivals]
            yield f"{number} was presented again after a presentation that may have been taken: {codes}"


def _after_opting_out(presented: Mapping[str, Sequence[Arrival]], opted_out: Mapping[str, int]) -> Iterable[str]:
    for number, first in opted_out.items():
        late = [arrival.sequence for arrival in presented.get(number, ()) if arrival.sequence >= first]
        if late:
            yield f"{number} opted out before arrival {first}, and was presented in {late}"


def _proved_unsent(arrival: Arrival) -> bool:
    is_refused = arrival.code in PROVED_UNSENT or (arrival.code, arrival.status) in UNKNOWN_REFUSALS
    return is_refused and arrival.status is not None and not arrival.accepted


def _lost(results: pl.DataFrame, rows: Sequence[Row]) -> Iterable[str]:
    wanted = [(row.source, row.row, row.recipient) for row in rows]
    found = list(results.select("source", "row", "recipient").iter_rows())
    if found == wanted:
        return
    missing, added = set(wanted) - set(found), set(found) - set(wanted)
    if missing:
        yield f"{len(missing)} input rows are not in the results, {min(missing)} the first"
    if added:
        yield f"{len(added)} rows of the results are no input rows, {min(added)} the first"
    if len(found) != len(set(found)):
        yield f"{len(found) - len(set(found))} rows stand in the results more than once"
    if not missing and not added and len(found) == len(wanted):
        yield "the results are not in input order"


def _pairs(results: pl.DataFrame, rows: Sequence[Row]) -> Iterable[tuple[Row, dict[str, Any]]]:
    found = {(row["source"], row["row"]): row for row in results.iter_rows(named=True)}
    return ((row, found[row.source, row.row]) for row in rows if (row.source, row.row) in found)


def _misreported(
    row: Row,
    found: Mapping[str, Any],
    presented: Mapping[str, Sequence[Arrival]],
    opted_out: Mapping[str, int],
    resent: Collection[str],
) -> Iterable[str]:
    where, status = f"row {row.row}", found["status"]
    if status != "accepted" and found["message_id"] is not None:
        yield f"{where}: {status}, and yet with a message id"
    if row.number is None:
        if status != row.status:
            yield f"{where}: {status}, should be {row.status}"
    elif status not in _VERDICTS or (status == "suppressed") > (row.number in opted_out):
        yield f"{where}: {status}, should have been sent to {row.number}"
    else:
        if found["phone_number"] != f"+{row.number}":
            yield f"{where}: went to {found['phone_number']}, should be +{row.number}"
        arrivals = presented.get(row.number, ())
        if status == "suppressed" and row.number in resent:
            arrivals = [arrival for arrival in arrivals if arrival.sequence >= opted_out[row.number]]
        for fault in _VERDICTS[status](row.number, found, arrivals):
            yield f"{where}: called {status} for {found['reason']}, and {fault}"


def _accepted(number: str, found: Mapping[str, Any], arrivals: Sequence[Arrival]) -> Iterable[str]:
    ids = [arrival.accepted[number] for arrival in arrivals if number in arrival.accepted]
    reason, message_id = found["reason"], found["message_id"]
    if not ids:
        yield f"the gateway never took {number}"
    elif message_id is not None and message_id not in ids:
        yield f"its message id is {message_id}, the gateway gave {ids}"
    if reason != (None if message_id is not None else "message_id_unmatched"):
        yield f"its message id is {message_id}"


def _failed(number: str, found: Mapping[str, Any], arrivals: Sequence[Arrival]) -> Iterable[str]:
    if any(number in arrival.accepted for arrival in arrivals):
        yield f"the gateway took {number}"
    listed = any(number in arrival.failed for arrival in arrivals)
    refused = any(arrival.code == found["reason"] for arrival in arrivals)
    if not (listed if found["reason"] == "failed_list" else refused):
        yield f"the gateway said {[arrival.code for arrival in arrivals]} of {number}"


def _not_sent(number: str, _found: Mapping[str, Any], arrivals: Sequence[Arrival]) -> Iterable[str]:
    if any(number in arrival.accepted for arrival in arrivals):
        yield f"the gateway took {number}"
    if not all(_proved_unsent(arrival) for arrival in arrivals):
        yield f"{number} was presented without a clear refusal"


def _unknown(_number: str, _found: Mapping[str, Any], _arrivals: Sequence[Arrival]) -> Iterable[str]:
    return ()  # whatever happened to it


_VERDICTS: Mapping[str, Callable[[str, Mapping[str, Any], Sequence[Arrival]], Iterable[str]]] = {
    "accepted": _accepted,
    "failed": _failed,
    "not_sent": _not_sent,
    "suppressed": _not_sent,
    "unknown": _unknown,
}


def _never_presented(
    results: pl.DataFrame, rows: Sequence[Row], presented: Mapping[str, Sequence[Arrival]]
) -> Iterable[str]:
    for row, found in _pairs(results, rows):
        if found["status"] == "unknown" and found["reason"] != "interrupted" and row.number not in presented:
            yield f"row {row.row}: called unknown for {found['reason']}, and {row.number} was never presented"


def _strangers(presented: Mapping[str, Sequence[Arrival]], rows: Sequence[Row]) -> Iterable[str]:
    known = {row.number for row in rows}
    strangers = sorted(number for number in presented if number not in known)
    if strangers:
        yield f"{len(strangers)} numbers were presented that no row asks for, {strangers[0]} the first"
