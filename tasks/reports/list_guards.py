"""What a plan's rows must be like before the first call: enough numbers, and few enough invalid rows."""

from collections.abc import Mapping
from typing import Final

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.statuses import SENDABLE, Status

USUAL_INVALID_RATE: Final = 0.5
FEWEST_ROWS_FOR_A_RATE: Final = 1_000


def broken_guards(config: CampaignConfig, rows: Mapping[str, int], *, hidden: int = 0) -> tuple[str, ...]:
    """Return a sentence for each guard that the whole plan breaks, with both figures.

    `rows` has the plan's rows by status, those without one as `sendable`. `hidden` of them are invalid because they
    are hidden and skipped on purpose: the share is that of the others. A test goes to the operator's own numbers, which
    say nothing about the lists.
    """
    if config.test_to:
        return ()
    broken: list[str] = []
    numbers, invalid, total = rows.get(SENDABLE, 0), rows.get(Status.INVALID, 0) - hidden, sum(rows.values()) - hidden
    if config.min_recipients is not None and numbers < config.min_recipients:
        broken.append(
            f"it has {counted(numbers, 'number')}, but the minimum (--min-recipients) is {config.min_recipients:,}: "
            "did the lists come out too short?"
        )
    is_given = config.max_invalid_rate is not None
    rate = config.max_invalid_rate if config.max_invalid_rate is not None else USUAL_INVALID_RATE
    if invalid > rate * total and (is_given or total >= FEWEST_ROWS_FOR_A_RATE):
        broken.append(
            f"{invalid:,} of {counted(total, 'row')} are invalid ({100 * invalid / total:.3g} %), more than the share "
            f"of {rate:g} that is allowed (--max-invalid-rate). The preview has their reasons, and the results of a "
            "dry run (--dry-run) have every row's: was the right column read, and does the list need a default region?"
        )
    return tuple(broken)
