"""Validates recipients as written: E.164 numbers, regions and verdicts. No Prefect, no network."""

from globe_sms.tasks.numbers.libphonenumber import Verdict, checked_region, validate_text
from globe_sms.tasks.numbers.prefix_overrides import LONGEST_PREFIX, NO_OVERRIDES, Overrides
from globe_sms.tasks.numbers.validation import VERDICT_COLUMNS, validate

__all__ = [
    "LONGEST_PREFIX",
    "NO_OVERRIDES",
    "VERDICT_COLUMNS",
    "Overrides",
    "Verdict",
    "checked_region",
    "validate",
    "validate_text",
]
