"""The values of `--test-to`, before anything is read."""

from globe_sms.tasks.campaign.options.own_numbers import mask_place


def test_what_was_written_is_shown_with_four_digits_at_most() -> None:
    """However it was written."""
    assert mask_place("call +65 8123-4567") == "call +•• ••••-4567"
