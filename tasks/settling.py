"""From the gateway's outcome to the receipt, and from the receipt to what became of each number."""

from collections.abc import Iterator
from dataclasses import replace

from tasks.gateway import Outcome
from tasks.ledger import Receipt, Settlement
from tasks.plan import Chunk
from tasks.statuses import Status


def answered(receipt: Receipt, outcome: Outcome, chunk: Chunk) -> Receipt:
    """Fill in what the gateway said; numbers become positions in the chunk."""
    reasons = {
        Settlement.REFUSED: outcome.code,
        Settlement.ACCOUNT: outcome.code,
        Settlement.UNKNOWN: outcome.reason,
        Settlement.NOT_SENT: outcome.reason,
    }
    unpaired = outcome.ids_unmatched or receipt.settlement is Settlement.UNKNOWN
    filled = replace(
        receipt,
        reason=reasons.get(receipt.settlement),
        code=outcome.code,
        description=outcome.description,
        request_id=outcome.request_id,
        unpaired_ids=outcome.message_ids if unpaired else (),
    )
    if receipt.settlement is not Settlement.ACCEPTED:
        return filled  # one fate for the whole chunk
    position = {number.removeprefix("+"): place for place, number in enumerate(chunk.phone_numbers)}
    return replace(
        filled,
        failed=tuple(position[number] for number in outcome.failed),
        unclear=tuple(position[number] for number in outcome.unclear),
        message_ids={position[number]: value for number, value in outcome.accepted if value is not None},
        ids_unmatched=outcome.ids_unmatched,
    )


def numbers_by_status(receipt: Receipt, size: int) -> Iterator[tuple[Status, int]]:
    """Yield how many of the chunk's `size` numbers got which status; numbers that were not sent are not counted."""
    match receipt.settlement:
        case Settlement.ACCEPTED:
            yield Status.FAILED, len(receipt.failed)
            yield Status.UNKNOWN, len(receipt.unclear)
            yield Status.ACCEPTED, size - len(receipt.failed) - len(receipt.unclear)
        case Settlement.REFUSED | Settlement.ACCOUNT:
            yield Status.FAILED, size
        case Settlement.UNKNOWN:
            yield Status.UNKNOWN, size
        case Settlement.NOT_SENT:
            return
