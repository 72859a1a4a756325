"""The codes of statuses and reasons, and the sentence for each."""

import pytest

from globe_sms.tasks.vocabulary.row_reasons import REASON_SENTENCES, RowReason, explain_reason
from globe_sms.tasks.vocabulary.statuses import STATUSES
from globe_sms.tasks.vocabulary.stop_signal import StopCause


def test_every_reason_has_a_sentence() -> None:
    """The table of sentences is whole, and the statuses stand in the order of the results' enum."""
    assert set(REASON_SENTENCES) == set(RowReason)
    assert all(sentence.endswith(".") for sentence in REASON_SENTENCES.values())
    assert STATUSES == (
        "accepted",
        "failed",
        "unknown",
        "not_sent",
        "invalid",
        "unsupported",
        "duplicate",
        "suppressed",
    )


@pytest.mark.parametrize("cause", StopCause)
def test_every_cause_that_stops_a_run_is_a_reason(cause: StopCause) -> None:
    """It is the reason of the rows that the run didn't send."""
    assert explain_reason("not_sent", cause) == REASON_SENTENCES[RowReason(cause)]


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("invalid", "missing_name", "no value for a placeholder"),
        ("duplicate", "s3://b/list.csv#0", "An earlier row has the same number"),
        ("suppressed", "s3://b/opt-outs.csv", "on an opt-out list"),
    ],
)
def test_reasons_that_name_a_column_a_row_or_a_list_are_explained(status: str, reason: str, words: str) -> None:
    """Their text differs from row to row."""
    assert words in explain_reason(status, reason)


@pytest.mark.parametrize("reason", [None, "MOBILE_NUMBER_ILLEGAL"])
def test_a_code_of_the_gateway_is_not_explained_here(reason: str | None) -> None:
    """Its table is the gateway's."""
    assert explain_reason("failed", reason) == ""
