"""The delivery report: page, picture, terminal, notebook, JSON."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from rich.console import Console

from globe_sms.flows.command_line.delivery_bars import delivery_bars
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.reports.delivery_picture import COLOURS
from globe_sms.tasks.reports.delivery_report import DeliveryReport, make_delivery_report, write_delivery_report
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.store import Store
from tests.unit.delivery.delivered_rows import SENT, results_of, row

AS_OF = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIXED = [
    *[row("delivered", 7, phone_number="+6581234567")] * 90,
    *[row("undelivered", 9, delivery_code="EC:0012")] * 6,
    row("expired", delivery_code="it's \\ odd"),
    *[row(None)] * 3,
]


def report_of(rows: list[dict[str, Any]], states: pl.LazyFrame | None = None) -> DeliveryReport:
    return make_delivery_report(results_of(rows), states, campaign="camp", uri="s3://b/camp", as_of=AS_OF)


def texts_of(svg: str) -> str:
    """All texts of a picture."""
    return " | ".join(text for element in ET.fromstring(svg).iter() for text in element.itertext())  # noqa: S314  # ours


def test_the_page_has_rate_times_countries_and_failures() -> None:
    """And the meaning of each code."""
    markdown = as_markdown(report_of(MIXED).page())
    for words in ("92.8 % delivered: 90 of 97", "half took up to 7 s", "Singapore", "EC:0012", "3 not known yet"):
        assert words in markdown.replace("\\", "")


def test_the_page_says_which_rows_receipts_settled() -> None:
    """An earlier report said that they were unknown."""
    markdown = as_markdown(report_of([row("delivered", 1, settled_by="receipt")]).page())
    assert "1 row changed from unknown to accepted" in markdown


def test_the_picture_has_title_units_and_every_colour_of_its_legend() -> None:
    """Hours with their shares and messages, and how long delivery took."""
    svg = report_of([*MIXED, row("delivered", 7, sent_at=SENT + timedelta(hours=2))]).svg()
    assert svg is not None
    texts = texts_of(svg)
    for words in (
        "Delivery of camp",
        "hour of sending, UTC",
        "time from sending to delivery",
        "24 Nov 11:00",
        "half within 7 s",
    ):
        assert words in texts
    assert all(colour.lower() in svg.lower() for colour in COLOURS.values())


@pytest.mark.parametrize(
    "rows",
    [
        [row("undelivered"), row(None, sent_at=SENT + timedelta(hours=1))],
        [row("delivered", 0)],
        [row("delivered", 3_000_000)],
        [row("delivered", 5, sent_at=SENT + timedelta(hours=hours)) for hours in range(200)],
    ],
)
def test_any_figures_make_a_picture(rows: list[dict[str, Any]]) -> None:
    """Nothing delivered, at once, after a month, over a week: all of it is inside of the picture."""
    svg = report_of(rows).svg()
    assert svg is not None
    picture = ET.fromstring(svg)  # noqa: S314  # ours
    width, height = (float(picture.attrib[name]) for name in ("width", "height"))
    for element in picture.iter():
        for name, limit in (("x", width), ("y", height), ("cx", width), ("cy", height)):
            assert 0 <= float(element.attrib.get(name, 0)) < limit
        for name in ("width", "height"):
            assert float(element.attrib.get(name, 0)) >= 0


@pytest.mark.parametrize(
    "rows", [[], [row(None)], [row("undelivered")] * 9, [row("delivered", 5, sent_at=None)]], ids=len
)
def test_where_the_figures_say_it_all_there_is_no_picture(rows: list[dict[str, Any]]) -> None:
    """One hour of sending, and no time of delivery."""
    report = report_of(rows)
    assert report.svg() is None
    assert rows or "no accepted messages" in report.sentence()
    assert "data:image" not in report.markdown() + report._repr_html_()


def test_the_artifact_and_the_notebook_contain_the_picture() -> None:
    """It shows without access to the results."""
    report = report_of(MIXED)
    assert "](data:image/svg+xml;base64," in report.markdown()
    assert 'src="data:image/svg+xml;base64,' in report._repr_html_()


def test_no_part_of_it_has_a_whole_number() -> None:
    """Promise 7."""
    report = report_of(MIXED)
    shown = as_markdown(report.page()) + (report.svg() or "") + json.dumps(report.summary()) + repr(report)
    assert not re.search(r"81234567", shown)


def test_the_summary_is_json_with_rates_and_seconds() -> None:
    """As `--json` prints it."""
    found = json.loads(json.dumps(report_of(MIXED).summary()))
    assert found["deliveries"] == {"delivered": 90, "undelivered": 6, "expired": 1, "pending": 3, "rate": 0.9278}
    assert found["seconds_to_deliver"] == {"median": 7, "p90": 7, "p99": 7}
    assert found["by_hour"][0]["hour"] == "2026-11-24T09:00:00+00:00"
    assert found["by_code"][0]["meaning"]


def test_the_terminal_tells_states_apart_without_colours() -> None:
    """All bars have the same width, and rare states are visible."""
    console = Console(width=120, color_system=None, file=io.StringIO(), record=True)
    console.print(delivery_bars(report_of([*MIXED, row("delivered", 1, region="MY")]).figures))
    lines = console.export_text().splitlines()
    bars = [re.findall(r"[█▓▒░]+", line)[0] for line in lines[1:]]
    assert [len(bar) for bar in bars] == [40] * 3
    assert set(bars[1]) == set("█▓▒░")


def test_the_picture_is_put_beside_the_results(store: Store, tmp_path: Path) -> None:
    """The next report replaces it."""
    path = tmp_path / "results.parquet"
    for rows in (MIXED[:90], MIXED):
        results_of(rows).collect().write_parquet(path)
        report = write_delivery_report(store, "camp", path, tmp_path, as_of=AS_OF)
    svg = store.get("delivery.svg")
    assert svg is not None
    assert svg.body.decode() == report.svg()


def test_the_carriers_of_the_archive_are_in_the_report(local_store: Store, tmp_path: Path) -> None:
    """They come from queries."""
    path = tmp_path / "results.parquet"
    results_of(MIXED).collect().write_parquet(path)
    state = dict.fromkeys(STATE_SCHEMA) | {"message_id": "m", "carrier": "Singtel", "delivery": "delivered"}
    DeliveryArchive(local_store, tmp_path).append(pl.DataFrame([state], schema=STATE_SCHEMA))
    report = write_delivery_report(local_store, "camp", path, tmp_path)
    assert [entry["carrier"] for entry in report.summary()["by_carrier"]] == ["Singtel"]
    assert "By carrier" in as_markdown(report.page())
