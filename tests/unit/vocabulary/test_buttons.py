"""What to press in Prefect's UI where a message says to run the campaign again."""

import pytest

from globe_sms.tasks.vocabulary.buttons import COPY, RETRY, in_button_words


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Top up. Then run the same command again: it continues.", f"Top up. Then {RETRY}: it continues."),
        ("Run the campaign again to be asked again.", f"P{RETRY[1:]} to be asked again."),
        ("Fix the cause, then run it again: it continues.", f"Fix the cause, then {RETRY}: it continues."),
        ("To send it, run the campaign again with a later one.", f"To send it, {COPY} with a later one."),
        ("run the campaign again without the canary", f"{COPY} without the canary"),
        (
            "To send, run the campaign again without it (--dry-run).",
            "To send, run the deployment manual with the same campaign ID and no dry run.",
        ),
        (
            "track it (globe-sms track --receipts) first",
            "track it (run the deployment hourly, of the flow track-delivery) first",
        ),
        (
            "Only after that, run the same campaign again and resend unknown rows (--on-unknown resend).",
            "Only after that, run the deployment resend-unknown for it.",
        ),
        ("calls in progress get 15 s, Ctrl-C again ends them now", "calls in progress get 15 s"),
        ("Nothing is left.", "Nothing is left."),
    ],
)
def test_a_command_is_a_button(message: str, said: str) -> None:
    """Retry keeps the fields, a copy lets you change one."""
    assert in_button_words(message) == said
