"""The campaign report: its figures, its page, and what a notebook shows."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.gateway.response_codes import TABLE
from globe_sms.tasks.reports.campaign_figures import count_figures
from globe_sms.tasks.reports.campaign_page import advice, outcome, report_page
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.page_blocks import Page
from globe_sms.tasks.reports.results_link import results_link
from globe_sms.tasks.vocabulary.row_reasons import INVALID_NUMBER_REASONS, UNSUPPORTED_NUMBER_REASONS
from globe_sms.tasks.vocabulary.statuses import STATUSES
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


def report_of(folder: Path, rows: list[dict[str, Any]], **changes: Any) -> CampaignReport:
    """Write results with these rows and report on them."""
    path = folder / "results.parquet"
    blank = dict.fromkeys(RESULTS_SCHEMA)
    frame = pl.DataFrame(
        [{**blank, "source": "s3://b/l.csv", "row": number, **row} for number, row in enumerate(rows)],
        schema=RESULTS_SCHEMA,
    )
    frame.write_parquet(path)
    counts = {status: frame.filter(pl.col("status") == status).height for status in STATUSES}
    given: dict[str, Any] = {
        "campaign": "camp",
        "uri": str(path),
        "counts": counts,
        "figures": count_figures(path),
        "calls": 3,
        "throttled": 0,
        "resent": 0,
        "seconds": 75.0,
        "rate": 1.0,
        "dry_run": False,
        "stop": None,
        "s3": lambda: None,
    }
    return CampaignReport(**given | changes)


def sent(status: str, reason: str | None = None, region: str = "SG", said: str | None = None) -> dict[str, Any]:
    return {
        "status": status,
        "reason": reason,
        "region": region,
        "recipient": "+65 8123 4567",
        "phone_number": "+6581234567",
        "response_description": said,
    }


MIXED = [
    *[sent("accepted")] * 5,
    sent("accepted", region="MY"),
    *[sent("failed", "BLACK_KEY_CONTROL_LIMIT", said="bad word for 6581234567")] * 7,
    sent("unknown", "no_reply", region="MY"),
    {"status": "duplicate", "reason": "s3://b/l.csv#0"},
    {"status": "duplicate", "reason": "s3://b/l.csv#1"},
    {"status": "invalid", "reason": "empty"},
]


def test_reasons_come_in_the_order_of_the_statuses_and_duplicates_are_one(tmp_path: Path) -> None:
    """The order of the enum."""
    assert [(found.status, found.reason, found.rows) for found in report_of(tmp_path, MIXED).reasons] == [
        ("accepted", None, 6),
        ("failed", "BLACK_KEY_CONTROL_LIMIT", 7),
        ("unknown", "no_reply", 1),
        ("invalid", "empty", 1),
        ("duplicate", None, 2),
    ]


def test_countries_count_what_was_or_could_be_presented(tmp_path: Path) -> None:
    """The largest first; rows that were left out count for no country."""
    found = report_of(tmp_path, MIXED).figures.countries
    assert [(entry.region, entry.rows) for entry in found] == [("SG", (5, 7, 0, 0)), ("MY", (1, 0, 1, 0))]


def test_of_each_failure_five_rows_are_shown_and_masked(tmp_path: Path) -> None:
    """Even if the gateway's description repeats the number."""
    report = report_of(tmp_path, MIXED)
    failures = report.figures.failures
    assert [row.reason for row in failures] == ["BLACK_KEY_CONTROL_LIMIT"] * 5 + ["no_reply"]
    markdown = as_markdown(report_page(report))
    assert not re.search(r"\d{7,}", markdown)
    assert "bad word for" in markdown


def test_the_failures_stay_few_whatever_goes_wrong(tmp_path: Path) -> None:
    """People can read the table, and a server can store it."""
    rows = [sent("failed", f"CODE_{number}") for number in range(40) for _ in range(9)]
    assert len(report_of(tmp_path, rows).figures.failures) == 50


def test_the_report_says_what_to_do_about_each_code(tmp_path: Path) -> None:
    """Our own reasons and the gateway's codes alike."""
    markdown = as_markdown(report_page(report_of(tmp_path, MIXED)))
    assert "The text contains a forbidden keyword: ask Alibaba which one." in markdown
    assert "the text may have been sent" in markdown


@pytest.mark.parametrize(
    ("rows", "changes", "words"),
    [
        ([sent("accepted")], {}, "Every row is settled"),
        ([sent("accepted")], {"calls": 0}, "had already finished"),
        ([sent("unknown", "no_reply")], {}, "--on-unknown resend"),
        ([sent("unknown", "no_reply")], {}, "some people may get the text twice"),
        ([sent("not_sent", "stopped")], {}, "run the same campaign again"),
        ([{"status": "invalid", "reason": "empty"}], {}, "Nothing to send"),
        ([{"status": "invalid", "reason": "empty"}], {"dry_run": True}, "Nothing to send"),
        ([sent("failed", "X")], {}, "All failed"),
        ([sent("not_sent", "dry_run")], {"dry_run": True}, "A dry run"),
        ([sent("failed", "X")], {"stop": Stop(StopCause.STOPPED, "no balance.")}, "Stopped: no balance."),
        ([sent("not_sent", "declined")], {"stop": Stop(StopCause.DECLINED, "by Mei.")}, "Declined: by Mei."),
    ],
)
def test_the_first_sentence_tells_how_it_ended(
    tmp_path: Path, rows: list[dict[str, Any]], changes: dict[str, Any], words: str
) -> None:
    """And says what to do next."""
    assert words in outcome(report_of(tmp_path, rows, **changes))


def test_a_notebook_shows_the_report_as_a_table(tmp_path: Path) -> None:
    """As HTML or Markdown; neither has a whole number."""
    report: Any = report_of(tmp_path, MIXED)
    assert "<table>" in report._repr_html_()
    assert "| failed | BLACK" in report._repr_markdown_()
    assert not re.search(r"\d{7,}", report._repr_html_() + report._repr_markdown_())


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((found.verdict, found.code.rstrip("*")) for found in TABLE if found.code != "OK"),
        *(("invalid", str(reason)) for reason in INVALID_NUMBER_REASONS),
        *(("unsupported", str(reason)) for reason in UNSUPPORTED_NUMBER_REASONS),
        *(("not_sent", str(cause)) for cause in StopCause),
        ("not_sent", "dry_run"),
        ("failed", "failed_list"),
        ("unknown", "no_reply"),
        ("unknown", "interrupted"),
        ("unknown", "A_CODE_OF_TOMORROW"),
        ("duplicate", None),
        ("suppressed", None),
    ],
)
def test_every_reason_has_advice(status: str, reason: str | None) -> None:
    """Operators get a sentence, not just a code."""
    assert advice(status, reason).endswith(".")


class _Access:
    """S3 at an endpoint."""

    region = "ap-southeast-1"

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint


@pytest.mark.parametrize(
    ("uri", "endpoint", "link"),
    [
        (
            "s3://bucket/a b/camp/results.parquet",
            "https://s3.ap-southeast-1.amazonaws.com",
            "https://console.aws.amazon.com/s3/object/bucket?region=ap-southeast-1&prefix=a%20b/camp/results.parquet",
        ),
        ("s3://bucket/camp/results.parquet", "http://minio:9000", "http://minio:9000/bucket/camp/results.parquet"),
        ("/data/camp/results.parquet", "", "file:///data/camp/results.parquet"),
    ],
)
def test_the_results_have_a_link_that_gives_nobody_access(uri: str, endpoint: str, link: str) -> None:
    """The link has no signature: people need access of their own."""
    access: Any = _Access(endpoint)
    found = results_link(uri, lambda: access)
    assert found.at == link
    assert f"(<{link}>)" in as_markdown(Page("Results", (found,)))
