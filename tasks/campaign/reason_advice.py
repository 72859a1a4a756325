"""What a reason of the results means, and what the operator should do about it: one sentence or two a reason."""

from typing import Final

from globe_sms.tasks.gateway.response_codes import look_up
from globe_sms.tasks.vocabulary.statuses import QUIET_HOURS, REASON_SENTENCES, MessageReason, Status

_LOOK: Final = "Look for these messages in Alibaba's console before you resend any."

_SENTENCES: Final[dict[str, str]] = {
    **{str(reason): sentence for reason, sentence in REASON_SENTENCES.items()},
    "message_id_unmatched": "Accepted; the gateway's ids can't be paired with numbers. They are in the send record.",
    "failed_list": "The gateway accepted the call but refused this number: check that it exists and takes texts.",
    "failed_list_unmatched": f"The gateway's list of refused numbers does not fit the call. {_LOOK}",
    "no_reply": f"The call left and no answer came: it may have been sent. {_LOOK}",
    "interrupted": f"The run ended while the call was in the air: it may have been sent. {_LOOK}",
    "unreadable_answer": f"The gateway answered something that cannot be read. {_LOOK}",
    "unreachable": "The gateway could not be reached; nothing was sent. Run the campaign again.",
    "no_credentials": "There were no credentials to sign with; nothing was sent. Mend them, run the campaign again.",
    "dry_run": "A dry run calls nothing. Run the campaign without it to send.",
    "stopped": "The campaign stopped first. Mend the cause, then run it again: it goes on from here.",
    "cancelled": "The run was cancelled first. Run the campaign again to go on from here.",
    "in_the_air": "The call is under way, or its run has just ended: look again in a moment.",
    "not_yet": "The campaign is being sent, and has not come to it yet.",
    "lease_lost": "Another run took the campaign over. Look at that run.",
    "store_down": "The results place did not answer. Run the campaign again when it does.",
    QUIET_HOURS: (
        "It was outside --hours where the recipient is, or nobody knows the time there. A run waits for the hours as "
        "long as --hours-wait lets it; after it has ended, run the campaign again to go on within them."
    ),
    "declined": "Nobody approved it. Run the campaign again to be asked again.",
}
_BY_STATUS: Final = {
    Status.DUPLICATE: "The same number stands in an earlier row, which gets the text.",
    Status.SUPPRESSED: "The number stands on an opt-out list.",
}


def advice(status: str, reason: str | None) -> str:
    """Say what a row's status and reason mean and what to do; empty where there is nothing to say."""
    if status in _BY_STATUS:
        return _BY_STATUS[Status(status)]
    if reason is None:
        return ""
    if status == Status.INVALID and reason.startswith(f"{MessageReason.MISSING}_"):
        return _SENTENCES[MessageReason.MISSING]
    if reason in _SENTENCES:
        return _SENTENCES[reason]
    return look_up(reason, from_gateway=False, status=200).advice
