"""The statuses of a row, and the reasons for which the judging of numbers turns a row away.

The codes stand in the results parquet and never change; the sentences are for people.
"""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """What became of a row (the design's table "Status of a row")."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"


QUIET_HOURS: Final = "quiet_hours"  # why a row is `not_sent`: its hours did not come in the time that the run waits
STATUSES: Final = tuple(status.value for status in Status)


class InvalidReason(StrEnum):
    """Why a recipient is `invalid`: not a phone number that can receive texts."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID_COUNTRY_CODE = "invalid_country_code"
    NOT_VALID_FOR_REGION = "not_valid_for_region"
    NOT_MOBILE = "not_mobile"
    SPREADSHEET_DAMAGE = "spreadsheet_damage"


class UnsupportedReason(StrEnum):
    """Why a recipient is `unsupported`: a real number in a place that the gateway does not serve."""

    CHINA_MAINLAND = "china_mainland"
    UNITED_STATES = "united_states"


class MessageReason(StrEnum):
    """Why a row is `invalid` for its text; `missing` is followed by an underscore and the column's name."""

    MISSING = "missing"
    MESSAGE_EMPTY = "message_empty"
    MESSAGE_TOO_LONG = "message_too_long"


class SelectionReason(StrEnum):
    """Why a campaign is not meant for a row that could be sent."""

    COUNTRY_DENIED = "country_denied"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"


REASON_SENTENCES: Final[dict[InvalidReason | UnsupportedReason | MessageReason | SelectionReason, str]] = {
    InvalidReason.EMPTY: "The cell is empty or holds only invisible characters.",
    InvalidReason.NOT_A_NUMBER: "The text is not a phone number.",
    InvalidReason.TOO_SHORT: (
        "The number has fewer digits than any number of its country. A local number needs its country code, or a "
        "default region."
    ),
    InvalidReason.TOO_LONG: "The number has more digits than any number of its country.",
    InvalidReason.INVALID_COUNTRY_CODE: (
        "The number does not begin with a country code that exists; write it with its country code, or name a default "
        "region for local numbers."
    ),
    InvalidReason.NOT_VALID_FOR_REGION: (
        "No number of its country has these digits. A local number needs its country code, or a default region."
    ),
    InvalidReason.NOT_MOBILE: "A real number that cannot receive texts: a fixed line, toll-free, premium or the like.",
    InvalidReason.SPREADSHEET_DAMAGE: (
        "A spreadsheet has turned the number into scientific notation; export the column again as text."
    ),
    UnsupportedReason.CHINA_MAINLAND: "Alibaba's international API does not send to mainland China (+86).",
    UnsupportedReason.UNITED_STATES: "Alibaba's international API does not send to the United States.",
    MessageReason.MISSING: (
        "The row has no value for a placeholder of the message; give it one, or the placeholder a default."
    ),
    SelectionReason.COUNTRY_DENIED: "This campaign was told not to send to the country.",
    SelectionReason.COUNTRY_NOT_ALLOWED: "This campaign was told to send to other countries only.",
    MessageReason.MESSAGE_EMPTY: "The row's text is blank.",
    MessageReason.MESSAGE_TOO_LONG: "The row's text has more characters than a text may have.",
}
