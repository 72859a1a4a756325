"""The preview: its figures and its page."""

import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.campaign.campaign_json import NoLists
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign.until import NO_END, Until
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.hours_forecast import HoursForecast
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.reports.make_preview import make_preview, preview_after
from globe_sms.tasks.reports.page_as_html import as_html
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.page_blocks import Page
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page, question_page
from globe_sms.tasks.reports.what_was_read import reading_notes, reading_sentence
from globe_sms.tasks.results.canary import Canary

MESSAGE = "Your table | is *ready*.\nCome <b>soon</b> ``` :)"
WHOLE_NUMBER = re.compile(r"\d{7,}")
RECIPIENTS = [
    "6581234567",
    "+65 8123 4567",
    "n/a",
    "",
    "8613800138000",
    "+1 202 555 0104",
    "447400123456",
    "6561234567",
    "call 6581234567 or Jane",
]


def preview_of(
    folder: Path, recipients: list[str], *, end: Until = NO_END, now: float = 0.0, **changes: object
) -> Preview:
    """Plan the recipients, 2 per call, and preview a first run."""
    rows = pl.LazyFrame(
        {"source": ["s3://b/list.csv"] * len(recipients), "row": range(len(recipients)), "recipient": recipients},
        schema={"source": pl.String, "row": pl.UInt64, "recipient": pl.String},
    )
    config = CampaignConfig.checked(
        **{"recipients": "s3://b/", "message": MESSAGE, "type": "NOTIFY", "results": "out", "numbers_per_call": 2}
        | changes
    )
    plan = FrozenPlan(plan_rows(validate(rows, default_region=None), config.numbers_per_call, "s", folder))
    numbers = plan.scan().select(pl.col("chunk").count()).collect().item()
    return make_preview(
        plan,
        config,
        campaign="camp",
        lists=("s3://b/list.csv",),
        numbers=numbers,
        calls=plan.chunk_count(),
        resent_chunks=0,
        end=end,
        now=now,
    )


def test_every_row_is_counted_once_by_status_and_reason(tmp_path: Path) -> None:
    """Sendable first, then each status and reason; duplicates are one group, whichever row they repeat."""
    preview = preview_of(tmp_path, RECIPIENTS)
    assert sum(group.rows for group in preview.groups) == preview.rows == len(RECIPIENTS)
    assert preview.groups[0].status == "sendable"
    assert (preview.sendable, preview.numbers, preview.calls) == (2, 2, 1)
    found = {(group.status, group.reason): group.rows for group in preview.groups}
    assert found["duplicate", None] == 1
    assert found["unsupported", "china_mainland"] == 1
    assert found["unsupported", "united_states"] == 1
    assert found["invalid", "empty"] == 1


def test_a_plan_that_breaks_a_guard_says_so_first(tmp_path: Path) -> None:
    """Also in a dry run, which sends nothing anyway."""
    preview = preview_of(tmp_path, RECIPIENTS, min_recipients=3, max_invalid_rate=0.1, dry_run=True)
    said = as_markdown(question_page(preview))
    assert "will not be sent: it has 2 numbers, but the minimum" in said
    assert "will not be sent: 4 of 9 rows are invalid" in said


@pytest.mark.parametrize(
    ("end", "in_time", "says"),
    [
        (NO_END, None, None),
        (Until(1_800_000_000.0), 2, "Nothing is sent after 2027-01-15 08:00 UTC (--until)."),
        (Until(1_800_000_000.0), 1, "at this rate, 1 of 2 numbers at most are texted before."),
        (Until(1_800_000_000.0), 0, "that time has passed, so nobody would be texted."),
        (Until(hours=Hours.parse("09:00-20:00")), None, "after the day's hours (09:00-20:00)"),
    ],
)
def test_the_end_is_said_and_who_gets_no_text_before_it(
    tmp_path: Path, end: Until, in_time: int | None, says: str | None
) -> None:
    preview = replace(preview_of(tmp_path, ["6581234567", "6581234568"]), end=end, numbers_in_time=in_time)
    said = as_markdown(preview_page(preview)).replace("\\", "")
    assert says in said if says else "--until" not in said


@pytest.mark.parametrize(("left", "in_time"), [(60.0, 5), (2.0, 3), (0.0, 0), (-9.0, 0), (math.inf, None)])
def test_the_numbers_that_go_before_the_end_are_counted_at_the_rate(
    tmp_path: Path, left: float, in_time: int | None
) -> None:
    """Five numbers in three calls, one a second."""
    recipients = [f"658123456{number}" for number in range(5)]
    preview = preview_of(tmp_path, recipients, end=Until(1_000.0 + left), now=1_000.0)
    assert preview.numbers_in_time == in_time


def test_destinations_come_largest_first(tmp_path: Path) -> None:
    """By the region of the number."""
    many = [f"65{number}" for number in random.Random(1).sample(range(81_000_000, 81_999_999), 7)]
    preview = preview_of(tmp_path, [*RECIPIENTS[:1], "447400123456", *many])
    assert [(found.region, found.rows) for found in preview.destinations] == [("SG", 8), ("GB", 1)]


def test_the_first_three_rows_of_each_reason_are_shown(tmp_path: Path) -> None:
    """With their row number; a duplicate names the row that it repeats."""
    preview = preview_of(tmp_path, ["6581234567", *["n/a"] * 5, *["6581234567"] * 4])
    assert [row.row for row in preview.refused if row.reason == "not_a_number"] == [1, 2, 3]
    duplicates = [row for row in preview.refused if row.status == "duplicate"]
    assert [(row.row, row.detail) for row in duplicates] == [(number, "s3://b/list.csv#0") for number in (6, 7, 8)]


def test_the_time_is_that_of_the_calls_at_the_rate(tmp_path: Path) -> None:
    """Two calls at half a call per second."""
    numbers = [f"65{number}" for number in range(81_234_560, 81_234_563)]
    assert preview_of(tmp_path, numbers, calls_per_second=0.5).seconds == pytest.approx(4.0)


def test_a_plan_without_rows_has_a_preview_too(tmp_path: Path) -> None:
    """Nothing to send, nothing to show, and no error."""
    preview = preview_of(tmp_path, [])
    assert (preview.rows, preview.numbers, preview.samples, preview.destinations) == (0, 0, (), ())
    assert "Nothing can be sent: the lists have no rows" in as_markdown(preview_page(preview))


def test_it_warns_if_the_lists_were_not_read_again_or_the_campaign_has_no_given_id(tmp_path: Path) -> None:
    """In both cases other people may be texted than expected; a new plan with a given id has no warning."""
    first = preview_of(tmp_path, ["6581234567"], campaign="camp")
    said = as_markdown(preview_page(first))
    assert "not read again" not in said
    assert "texts everyone again" not in said
    assert "not read again" in as_markdown(preview_page(replace(first, is_earlier=True)))
    assert "texts everyone again" in as_markdown(preview_page(preview_of(tmp_path, ["6581234567"])))


def test_what_to_do_about_a_row_names_the_forms_fields_there(tmp_path: Path) -> None:
    """Options are for the terminal; a list's own name and columns stay as they are."""
    page = preview_page(preview_of(tmp_path, ["6581234567", "+658123"], campaign="camp"))
    assert "(--default-region)" in str(page)
    said = str(page.in_words(in_form_words))
    assert '("Region of local numbers")' in said
    assert "--" not in said


def test_an_empty_cell_does_not_look_like_a_masked_number(tmp_path: Path) -> None:
    """Only its row number is shown; other rows also show the masked text."""
    said = as_markdown(preview_page(preview_of(tmp_path, ["6581234567", "", "n/a"])))
    assert re.search(r"invisible characters\. \\#2$", said, re.MULTILINE)
    assert re.search(r"isn't a phone number\. \\#3 ••••$", said, re.MULTILINE)


def test_it_names_the_gateway(tmp_path: Path) -> None:
    """So that nobody mistakes the real one for the sandbox."""
    preview = replace(preview_of(tmp_path, ["6581234567"]), gateway="http://127.0.0.1:8080")
    assert r"Gateway: http://127.0.0.1:8080" in as_markdown(preview_page(preview))


@pytest.mark.parametrize("make", [preview_page, question_page])
def test_it_says_what_was_passed_over_beside_the_lists(tmp_path: Path, make: Callable[[Preview], Page]) -> None:
    """How many files and folders of each place, and the first names."""
    passed_over = (NoLists(uri="s3://b/", count=7, names=("_SUCCESS", "_temporary/")),)
    said = as_html(make(replace(preview_of(tmp_path, ["6581234567"]), passed_over=passed_over)))
    assert "Passed over in s3://b/: 7 that aren&#x27;t lists (_SUCCESS, _temporary/ and 5 more)." in said


def test_a_list_without_sendable_rows_is_not_called_finished(tmp_path: Path) -> None:
    """Local numbers without a default region: the reason says what to do."""
    said = as_markdown(preview_page(preview_of(tmp_path, ["81234567"])))
    assert "Nothing can be sent: 0 of 1 row can be texted" in said
    assert "default region" in said


@pytest.mark.parametrize("show", [as_markdown, as_html])
@pytest.mark.parametrize("make", [preview_page, question_page])
def test_no_whole_number_is_shown(tmp_path: Path, show: object, make: object) -> None:
    """Neither of a sendable row nor of one that is left out."""
    page = show(make(preview_of(tmp_path, RECIPIENTS)))  # type: ignore[operator]
    assert not WHOLE_NUMBER.search(page)
    assert MESSAGE[:11] in page


def test_a_message_is_shown_as_it_is(tmp_path: Path) -> None:
    """None of it is read as markup, its line break stays, and it is shown once for all readers."""
    markdown = as_markdown(preview_page(preview_of(tmp_path, RECIPIENTS)))
    assert markdown.count(f"````text\n{MESSAGE}\n````") == 1
    assert "<b>" not in as_html(preview_page(preview_of(tmp_path, RECIPIENTS)))


def test_countries_have_a_name_a_code_and_a_flag(tmp_path: Path) -> None:
    """As operators know them."""
    markdown = as_markdown(preview_page(preview_of(tmp_path, RECIPIENTS)))
    assert "| 1 | \\+65 | Singapore 🇸🇬 |" in markdown
    assert "| 1 | \\+44 | United Kingdom 🇬🇧 |" in markdown


def test_each_reason_says_what_it_means(tmp_path: Path) -> None:
    """People understand `china_mainland` the first time they see it."""
    markdown = as_markdown(preview_page(preview_of(tmp_path, RECIPIENTS)))
    assert "doesn't send to mainland China" in markdown
    assert "\\#5 ••••8000" in markdown
    assert "\\#2 ••••4567 \\(as \\#1\\)" in markdown


def test_the_preview_says_who_may_be_texted_when(tmp_path: Path) -> None:
    """Now, later or never, and from which sender in which country."""
    moment = datetime(2026, 11, 25, 1, tzinfo=UTC).timestamp()
    preview = replace(
        preview_of(tmp_path, RECIPIENTS, sender_id=["SG=Acme", "*=12345"]),
        hours_forecast=HoursForecast(
            Hours.parse("09:00-20:00"), 1, tuple((moment + hour * 3_600, 1) for hour in range(7)), 3
        ),
    )
    found = as_markdown(preview_page(preview)).replace("\\", "")
    assert (
        "Hours 09:00-20:00 in the recipient's time zone: 1 number can be texted now, 1 from 2026-11-25 01:00 UTC"
        in found
    )
    assert "2 after that. 3 can't be texted in the next 24 hours" in found
    assert "from SG=Acme, *=12345" in found
    assert re.search(r"Singapore.*Acme", found)
    assert re.search(r"United Kingdom.*12345", found)
    assert "Alibaba chooses" in as_markdown(preview_page(preview_of(tmp_path, RECIPIENTS, sender_id="SG=Acme")))


@pytest.mark.parametrize("make", [preview_page, question_page])
def test_a_canary_is_announced_and_then_reported(tmp_path: Path, make: Callable[[Preview], Page]) -> None:
    """Before it, what decides; after it, its result and what is left to send."""
    before = replace(preview_of(tmp_path, RECIPIENTS), canary_first=1, max_failure_rate=0.005)
    assert "The first number goes out alone, as a canary." in as_markdown(make(before))
    assert "at most 0.5 % of its numbers failed" in as_markdown(make(before))
    after = preview_after(Canary({"accepted": 1}), before, RemainingChunks((1,), (), {}, 1, 1, canary=1))
    shown = as_markdown(make(after))
    assert "The canary's 1 number: 1 accepted." in shown.replace("\\", "")
    assert "goes out alone" not in shown
    assert "1 number in 1 call" in shown


def test_a_country_that_only_numbers_without_a_plus_sign_are_in_is_pointed_out(tmp_path: Path) -> None:
    """Indonesian numbers that lost their zero read as Japanese; unless the country of such numbers was given."""
    indonesian = [f"62812345678{n:02}" for n in range(6)]
    damaged = ["819012345678", "818012345678", "817012345678"]
    said = as_markdown(preview_page(preview_of(tmp_path, [*indonesian, *damaged])))
    assert "3 numbers without a plus sign read as numbers of Japan" in said
    assert "numbers of Indonesia without its country code" in said
    assert "--default-region ID" in said.replace("\\", "")
    for recipients in ([*indonesian, *damaged, "+818012345679"], [*indonesian, damaged[0]], [*damaged]):
        assert not preview_of(tmp_path, recipients).strange_countries
    assert not preview_of(tmp_path, [*indonesian, *damaged], default_region="SG").strange_countries


READINGS = {
    ListReading("csv", "Phone", "utf-8", ",", header_row=4, rows_above=2): (
        "CSV, separated by commas, UTF-8, header in row 4; numbers in the column Phone; "
        "2 rows above the header passed over."
    ),
    ListReading("xlsx", "phone", sheet="June", header_row=1, hidden_rows=2, hidden="skip", hidden_sheets=("old",)): (
        "XLSX, sheet June, header in row 1; numbers in the column phone; 2 hidden rows left out; "
        "hidden sheets not read: old."
    ),
    ListReading("csv", "1", "windows-1252", "\t"): (
        "CSV, separated by tabs, WINDOWS-1252, no header; numbers in the column 1."
    ),
    ListReading("parquet", "phone", region_column="country"): (
        "parquet; numbers in the column phone; their countries in country."
    ),
    ListReading("ndjson", "phone", "utf-8"): "NDJSON, UTF-8; numbers in the column phone.",
}


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.format)
def test_what_was_read_is_said(reading: ListReading) -> None:
    """Where the numbers come from, and what was passed over."""
    assert reading_sentence(reading) == READINGS[reading]


def test_lists_that_were_read_alike_are_one_entry() -> None:
    """A thousand parts of one list don't make a thousand lines."""
    first, *others = READINGS
    notes = reading_notes([*((f"s3://b/{n}.csv", first) for n in range(1_000)), ("s3://b/x", others[0])])
    assert notes is not None
    assert [name for name, _ in notes.entries] == ["0.csv and 999 more", "x"]
