"""Recipients as they were written, to E.164 numbers, regions and verdicts. No Prefect, no network."""

from tasks.numbers.judging import VERDICT_COLUMNS, judge
from tasks.numbers.overrides import LONGEST_PREFIX, NO_OVERRIDES, Overrides
from tasks.numbers.reference import Verdict, checked_region, judge_text

__all__ = [
    "LONGEST_PREFIX",
    "NO_OVERRIDES",
    "VERDICT_COLUMNS",
    "Overrides",
    "Verdict",
    "checked_region",
    "judge",
    "judge_text",
]
