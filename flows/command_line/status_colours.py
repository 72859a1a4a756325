"""The colour of each status in a terminal."""

from typing import Final

from globe_sms.tasks.vocabulary.statuses import Status

STATUS_COLOURS: Final = {
    Status.ACCEPTED: "green",
    Status.FAILED: "red",
    Status.UNKNOWN: "yellow",
    Status.NOT_SENT: "yellow",
    Status.INVALID: "magenta",
    Status.UNSUPPORTED: "magenta",
    Status.DUPLICATE: "cyan",
    Status.SUPPRESSED: "cyan",
}
