"""One chunk, presented in as many calls as it takes: smaller ones where a call is refused for its size or some numbers.

Each call is a presentation of its own in the ledger, with its own claim, turn and send record. So a run that is killed
in between leaves only the numbers of the call in the air in doubt, and the next run goes on from the ledger.
"""

from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.remaining_positions import Portion, left_after
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.campaign.settlement import MEANINGS, ChunkState, Settlement
from globe_sms.tasks.gateway import classify_code
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.answer_record import numbers_by_status
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.sending.sending_window import OutsideHoursError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause

_MOST_REFUSED: Final = 8  # numbers of a chunk that were refused alone: more of them than of others end the search


@dataclass(frozen=True, slots=True)
class ChunkOutcome:
    """How a chunk ended in this run: its send records, in order, and its history with what is left to present.

    `comes_back`: its recipients may not be texted now, so it may be sent later in this run.
    """

    records: tuple[SendRecord, ...]
    history: History
    comes_back: bool = False


def send_chunk(sender: Sender, chunk: Chunk, history: History) -> ChunkOutcome:
    """Present what is left of a chunk, until all of it is settled or the run stops.

    A call that is refused because of some of its numbers is presented again in halves, down to single numbers:
    about 2 log2(n) calls for one number among n. If most of a chunk's numbers are refused alone, the run stops.
    """
    left = (Portion(tuple(range(len(chunk.phone_numbers)))),) if history.left is None else history.left
    records: list[SendRecord] = []
    refused = settled = 0
    while left:
        positions = _positions_of_call(left[0], chunk, sender.call_size.most)
        if positions is None:
            left = left[1:]
            continue
        try:
            record = sender.send(chunk, history, positions)
        except OutsideHoursError as error:
            if error.record is not None:
                records.append(error.record)
                history = history.after(error.record.settlement, left)
            return ChunkOutcome(tuple(records), history, comes_back=True)
        if record is None:
            break
        records.append(record)
        is_tried_later = record.settlement is not Settlement.SPLIT and (
            MEANINGS[record.settlement].chunk is ChunkState.OPEN
        )
        if not is_tried_later:
            # What may have been taken isn't presented again by this run.
            left = left_after(record.presented, left, taken=record.settlement is not Settlement.SPLIT)
        history = history.after(record.settlement, left)
        if is_tried_later:
            break
        settled += sum(numbers for _, numbers in numbers_by_status(record, len(positions) - len(record.left_out)))
        refused += record.settlement is Settlement.REFUSED
        if left and refused >= _MOST_REFUSED and 2 * refused > settled:
            sender.stop.set(_stop_for(record, refused, settled))
            break
    return ChunkOutcome(tuple(records), history)


def _positions_of_call(portion: Portion, chunk: Chunk, most: int) -> tuple[int, ...] | None:
    """Return the first positions of a portion with `most` numbers to call; None if all of it is left out."""
    if not chunk.left_out:
        return portion.positions[:most]
    called = 0
    for count, place in enumerate(portion.positions):
        called += place not in chunk.left_out
        if called > most:
            return portion.positions[:count]
    return portion.positions if called else None


def _stop_for(record: SendRecord, refused: int, settled: int) -> Stop:
    code = record.code or ""
    description = f" ({record.description})" if record.description else ""
    advice = classify_code(code, from_gateway=False, status=200).advice
    return Stop(
        StopCause.STOPPED,
        f"The gateway refused {refused} of {settled} numbers of a call when it got them one by one, the last with "
        f"{code}{description}, so it would likely refuse most of the others. {advice} These {refused} are failed. Fix "
        "the cause, then run the same command again: it continues with the numbers that weren't sent.",
        code or None,
    )
