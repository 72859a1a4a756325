"""Recipients as they were written, to E.164 numbers, regions and verdicts. No Prefect, no network."""

from tasks.numbers.judging import VERDICT_COLUMNS, judge
from tasks.numbers.reference import Verdict, checked_region, judge_text

__all__ = [
    "VERDICT_COLUMNS",
    "Verdict",
    "checked_region",
    "judge",
    "judge_text",
]
