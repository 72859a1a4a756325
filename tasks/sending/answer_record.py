"""From the gateway's outcome to the send record, and from the record to the status of each number."""

from collections.abc import Iterator
from dataclasses import replace

from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import MEANINGS, Settlement
from globe_sms.tasks.gateway import Outcome
from globe_sms.tasks.sending.presentation import Presentation
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import PRESENTED, Status


def answered(record: SendRecord, outcome: Outcome, presentation: Presentation) -> SendRecord:
    """Fill in what the gateway said; numbers become positions in the chunk."""
    reasons = {
        Settlement.REFUSED: outcome.code,
        Settlement.STOPPED: RowReason.STOPPED,
        Settlement.UNKNOWN: outcome.reason,
        Settlement.NOT_SENT: outcome.reason,
    }
    unpaired = outcome.ids_unmatched or record.settlement is Settlement.UNKNOWN
    filled = replace(
        record,
        reason=reasons.get(record.settlement),
        code=outcome.code,
        description=outcome.description,
        request_id=outcome.request_id,
        unpaired_ids=outcome.message_ids if unpaired else (),
    )
    if record.settlement is not Settlement.ACCEPTED:
        return filled  # one outcome for the whole call
    numbers = (number.removeprefix("+") for number in presentation.chunk.phone_numbers)
    position = dict(zip(numbers, presentation.places, strict=True))
    return replace(
        filled,
        failed=tuple(position[number] for number in outcome.failed),
        unclear=tuple(position[number] for number in outcome.unclear),
        message_ids={position[number]: value for number, value in outcome.accepted if value is not None},
        ids_unmatched=outcome.ids_unmatched,
    )


def numbers_by_status(record: SendRecord, size: int) -> Iterator[tuple[Status, int]]:
    """Yield how many of a call's `size` numbers got which status; numbers that were not sent are not counted."""
    status = MEANINGS[record.settlement].status
    if record.settlement is Settlement.ACCEPTED:
        yield Status.FAILED, len(record.failed)
        yield Status.UNKNOWN, len(record.unclear)
        yield status, size - len(record.failed) - len(record.unclear)
    elif status in PRESENTED:
        yield status, size
