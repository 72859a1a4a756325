"""Why a row has its status: every code of ours, and what previews and reports say about it.

The codes are written to results.parquet and never change; the sentences are for people. A reason that isn't here is
a code of the gateway: see `tasks.gateway.response_codes`.
"""

from enum import StrEnum
from typing import Final

from globe_sms.tasks.vocabulary.statuses import Status


class RowReason(StrEnum):
    """Why a row has its status. The causes of `tasks.vocabulary.stop_signal.StopCause` are among them."""

    # invalid: not a phone number that can receive texts
    EMPTY = "empty"
    TOO_FEW_FIELDS = "too_few_fields"
    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID_COUNTRY_CODE = "invalid_country_code"
    NOT_VALID_FOR_REGION = "not_valid_for_region"
    NOT_MOBILE = "not_mobile"
    SPREADSHEET_DAMAGE = "spreadsheet_damage"
    SEVERAL_NUMBERS = "several_numbers"
    UNKNOWN_COUNTRY = "unknown_country"
    HIDDEN_ROW = "hidden_row"
    # invalid: no text for the row
    MISSING = "missing"  # the results add an underscore and the column's name
    MESSAGE_EMPTY = "message_empty"
    MESSAGE_TOO_LONG = "message_too_long"
    # unsupported: a real number in a country that can't be texted, or that the campaign leaves out
    CHINA_MAINLAND = "china_mainland"
    UNITED_STATES = "united_states"
    COUNTRY_DENIED = "country_denied"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    # suppressed
    REPEAT = "repeat"  # the results add a colon and the campaign that sent the same text
    FREQUENCY = "frequency"
    FORGOTTEN = "forgotten"
    UNDELIVERABLE = "undeliverable"  # the results add a colon and the code of the last failure
    # accepted
    MESSAGE_ID_UNMATCHED = "message_id_unmatched"
    # failed
    FAILED_LIST = "failed_list"
    # unknown: the call may have reached the gateway
    FAILED_LIST_UNMATCHED = "failed_list_unmatched"
    NO_REPLY = "no_reply"
    INTERRUPTED = "interrupted"
    UNREADABLE_ANSWER = "unreadable_answer"
    CONTRADICTORY_ANSWER = "contradictory_answer"
    IN_THE_AIR = "in_the_air"  # never in the results: `globe-sms show` says so of a running campaign
    # not_sent
    DRY_RUN = "dry_run"
    DECLINED = "declined"
    HOLDOUT = "holdout"
    QUIET_HOURS = "quiet_hours"
    EXPIRED = "expired"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    LEASE_LOST = "lease_lost"
    STORE_DOWN = "store_down"
    UNREACHABLE = "unreachable"
    NO_CREDENTIALS = "no_credentials"
    NOT_YET = "not_yet"  # never in the results: `globe-sms show` says so of a running campaign


INVALID_NUMBER_REASONS: Final = (
    RowReason.EMPTY,
    RowReason.NOT_A_NUMBER,
    RowReason.TOO_SHORT,
    RowReason.TOO_LONG,
    RowReason.INVALID_COUNTRY_CODE,
    RowReason.NOT_VALID_FOR_REGION,
    RowReason.NOT_MOBILE,
    RowReason.SPREADSHEET_DAMAGE,
)
LISTED_NUMBER_REASONS: Final = (RowReason.SEVERAL_NUMBERS, RowReason.UNKNOWN_COUNTRY, RowReason.HIDDEN_ROW)
"""What the list says of a number, before libphonenumber reads it."""
UNSUPPORTED_NUMBER_REASONS: Final = (RowReason.CHINA_MAINLAND, RowReason.UNITED_STATES)

_CHECK_CONSOLE: Final = "Look for the message in Alibaba's console before you resend it."
_LOCAL_NUMBERS: Final = "A local number needs its country code, or a default region (--default-region)."

REASON_SENTENCES: Final[dict[str, str]] = {
    RowReason.EMPTY: "The cell is empty or holds only invisible characters.",
    RowReason.TOO_FEW_FIELDS: (
        "The row ends before the field with the number. Write it with as many fields as the list's header."
    ),
    RowReason.NOT_A_NUMBER: "The text isn't a phone number.",
    RowReason.TOO_SHORT: f"The number has fewer digits than any number in its country. {_LOCAL_NUMBERS}",
    RowReason.TOO_LONG: "The number has more digits than any number in its country.",
    RowReason.INVALID_COUNTRY_CODE: f"The number doesn't start with an existing country code. {_LOCAL_NUMBERS}",
    RowReason.NOT_VALID_FOR_REGION: f"Its country has no numbers with these digits. {_LOCAL_NUMBERS}",
    RowReason.NOT_MOBILE: (
        "A real number that can't receive texts: a landline, a toll-free or premium-rate number, or similar."
    ),
    RowReason.SPREADSHEET_DAMAGE: (
        "A spreadsheet turned the number into scientific notation. Export the column again as text."
    ),
    RowReason.SEVERAL_NUMBERS: (
        "The cell holds several phone numbers. Leave one in it, or text the first of each cell (--first-number)."
    ),
    RowReason.UNKNOWN_COUNTRY: (
        "The number has no country code, and the list's column of countries names no country for it. Fill it in, or "
        "give the country of all such numbers (--default-region)."
    ),
    RowReason.HIDDEN_ROW: (
        "The spreadsheet hides this row or filters it out, and such rows are skipped (--hidden). Unhide it to send."
    ),
    RowReason.MISSING: (
        "The row has no value for a placeholder in the message, or there's no text in its language. Fill it in, or "
        "give the placeholder a default; for other languages, give a message (--message)."
    ),
    RowReason.MESSAGE_EMPTY: "The row's message is blank.",
    RowReason.MESSAGE_TOO_LONG: ("The row's message is longer than --max-characters. Shorten it."),
    RowReason.CHINA_MAINLAND: "Alibaba's international API doesn't send to mainland China (+86).",
    RowReason.UNITED_STATES: "Alibaba's international API doesn't send to the United States.",
    RowReason.COUNTRY_DENIED: "The campaign or the policy doesn't text this country (--deny-country).",
    RowReason.COUNTRY_NOT_ALLOWED: "The campaign or the policy texts other countries only (--allow-country).",
    RowReason.FREQUENCY: "The number has had as many texts lately as the policy allows.",
    RowReason.REPEAT: (
        "Another campaign sent this number the same text lately (--repeat-after). The reason names the campaign."
    ),
    RowReason.FORGOTTEN: (
        "The number was erased (globe-sms forget, or purge), so it gets no text; only its hash is left."
    ),
    RowReason.UNDELIVERABLE: (
        "Earlier texts to this number failed for good, and none was delivered since (--exclude-undelivered). The "
        "reason names the last code; the number comes back once a text reaches it."
    ),
    RowReason.MESSAGE_ID_UNMATCHED: (
        "Accepted, but the message ids of the call couldn't be matched to its numbers. The send record has the ids."
    ),
    RowReason.FAILED_LIST: (
        "The gateway accepted the call but refused this number. Check that it exists and receives texts."
    ),
    RowReason.FAILED_LIST_UNMATCHED: (
        f"The gateway's list of refused numbers doesn't match the call, so the text may have been "
        f"sent. {_CHECK_CONSOLE}"
    ),
    RowReason.NO_REPLY: f"The call got no answer, so the text may have been sent. {_CHECK_CONSOLE}",
    RowReason.INTERRUPTED: f"The run ended during the call, so the text may have been sent. {_CHECK_CONSOLE}",
    RowReason.UNREADABLE_ANSWER: (
        f"The gateway's answer couldn't be read, so the text may have been sent. {_CHECK_CONSOLE}"
    ),
    RowReason.CONTRADICTORY_ANSWER: (
        "The gateway accepted the call, but its counts contradict each other, so it isn't known for whom. Tracking "
        f"(globe-sms track) finds out whose message ids the answer has. {_CHECK_CONSOLE}"
    ),
    RowReason.IN_THE_AIR: "The call is under way, or its run has just ended. Look again in a moment.",
    RowReason.DRY_RUN: "A dry run makes no calls. To send, run the campaign again without it (--dry-run).",
    RowReason.DECLINED: "Nobody approved the campaign. Run it again to be asked again.",
    RowReason.HOLDOUT: (
        "The number was chosen by chance to get no text, so that you can compare with the others (--holdout). It never "
        "gets this campaign's text."
    ),
    RowReason.QUIET_HOURS: (
        "It was outside the hours (--hours) where the recipient is, or the time there isn't known. A run waits for the "
        "hours as long as you let it (--hours-wait). After that, run the campaign again during the hours."
    ),
    RowReason.EXPIRED: (
        "The latest time to send (--until) had passed. To send it after all, run the campaign again with a later one."
    ),
    RowReason.STOPPED: "The campaign stopped first. Fix the cause, then run it again: it continues from here.",
    RowReason.CANCELLED: "The run was cancelled first. Run the campaign again: it continues from here.",
    RowReason.LEASE_LOST: "Another run took over the campaign. See that run.",
    RowReason.STORE_DOWN: "The results folder (--results) didn't answer. Run the campaign again once it does.",
    RowReason.UNREACHABLE: "The gateway couldn't be reached, so nothing was sent. Run the campaign again.",
    RowReason.NO_CREDENTIALS: (
        "There were no credentials to sign the call, so nothing was sent. Set them up, then run the campaign again."
    ),
    RowReason.NOT_YET: "The campaign is being sent and hasn't reached this row yet.",
}
_BY_STATUS: Final = {  # their reasons name a row or a list
    Status.DUPLICATE: "An earlier row has the same number and gets the text.",
    Status.SUPPRESSED: (
        "The number is on an opt-out list, another campaign sent it the same text lately, or earlier texts to it "
        "failed for good."
    ),
}


def explain_reason(status: str, reason: str | None) -> str:
    """Return what a row's status and reason mean and what to do; empty for a code of the gateway and for none."""
    for named in (RowReason.REPEAT, RowReason.UNDELIVERABLE):
        if reason is not None and reason.startswith(f"{named}:"):
            return REASON_SENTENCES[named]
    if status in _BY_STATUS and reason not in REASON_SENTENCES:
        return _BY_STATUS[Status(status)]
    if reason is None:
        return ""
    if status == Status.INVALID and reason.startswith(f"{RowReason.MISSING}_"):
        return REASON_SENTENCES[RowReason.MISSING]
    return REASON_SENTENCES.get(reason, "")
