"""What an operator does, in a real browser on Prefect's real UI: fill in the form, approve, watch, read the report.

GLOBE_SMS_PICTURES=folder keeps the screenshots, as the README has them.
"""

import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.deployments.sandbox.child_process import wait_until
from globe_sms.deployments.sandbox.sandbox import Sandbox
from tests.browser.conftest import picture
from tests.browser.prefect_with_ui import PrefectSite
from tests.chaos.long_form import in_browser, long_form
from tests.waiting import LONGEST_WAIT

playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")

pytestmark = [
    in_browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Playwright leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CAMPAIGN = "parcels-2026-11-24"
# Each campaign here has a text of its own: another one's same text would be left out as a repeat.
MESSAGE = "Your parcel arrives tomorrow between 9 and 12."
PLANNED = "741 numbers in 15 calls"
_BETWEEN_PRESSES = 15.0  # seconds
_HOLD_SECONDS = 8  # longer than the five between two updates of the progress
ENDED = ("Completed", "CompletedWithUnknown", "Stopped", "Declined", "Cancelled", "Failed", "Crashed")


def field(page: "playwright.Page", title: str) -> "playwright.Locator":
    """Return the field of a form with this title."""
    label = page.locator(".schema-form-property__label", has_text=re.compile(rf"^{re.escape(title)}( \(Optional\))?$"))
    return page.locator(".schema-form-property").filter(has=label).last


def choose(page: "playwright.Page", title: str, option: str) -> None:
    """Choose from a list, by the keyboard: it opens the list at once and keeps it open."""
    field(page, title).locator(".p-select-button__control").press("ArrowDown")
    page.get_by_role("option", name=option, exact=True).click()


def type_into(page: "playwright.Page", title: str, value: str, *, kind: str | None = None) -> None:
    """Type into a field; an optional one is opened first, as its description says."""
    if kind is not None:
        field(page, title).get_by_role("button", name=kind, exact=True).click()
    control = field(page, title).locator("textarea, input").last
    control.fill(value)
    control.press("Tab")  # the form moves when a field is left, and a click on what has moved is lost


def open_run(page: "playwright.Page", site: PrefectSite, run: str, ui: str) -> None:
    """Open a run's page in one of the UIs: "" is V1, "/v2" is V2, the default."""
    page.goto(f"{site.url}{ui}/runs/flow-run/{run}")
    playwright.expect(page.get_by_text("Logs", exact=True).first).to_be_visible()


def press_in_menu(page: "playwright.Page", name: str) -> None:
    """Choose from V2's menu with three dots, the only place for it."""
    page.get_by_role("button", name="Open menu").click()
    page.get_by_role("menuitem", name=name, exact=True).click()


def press_until(site: PrefectSite, button: "playwright.Locator", run: str, *names: str) -> None:
    """Press a button until the run isn't in one of these states any more: a busy server refuses at times."""

    def left() -> bool:
        return site.run(run)["state_name"] not in names

    def pressed() -> bool:
        if button.is_visible():
            button.click()
        with suppress(TimeoutError):
            wait_until(left, seconds=_BETWEEN_PRESSES, what="the answer of the server")
        return left()

    site.until(pressed, "another state")


def answer(page: "playwright.Page", site: PrefectSite, run: str, decision: str) -> None:
    """Answer on the run's page in V2, as the log says; both fields are seen without scrolling."""
    open_run(page, site, run, "/v2")
    playwright.expect(page.get_by_text("To answer, on this run's page open the menu").first).to_be_in_viewport()
    press_in_menu(page, "Resume")
    dialog = page.get_by_role("dialog")
    for what in (dialog.get_by_text(PLANNED), dialog.get_by_text(MESSAGE), dialog.get_by_text("The whole preview")):
        playwright.expect(what.first).to_be_in_viewport()
    chosen, named = dialog.get_by_role("button", name="Select Decision"), dialog.get_by_role("textbox")
    for field in (chosen, named):
        playwright.expect(field).to_be_in_viewport()
    chosen.click()
    page.get_by_role("option", name=decision, exact=True).click()
    named.fill("Mei Tan")
    picture(page, "approval")
    press_until(site, dialog.get_by_role("button", name="Resume"), run, "Suspended")


def decline_in_v1(page: "playwright.Page", site: PrefectSite, run: str) -> None:
    """Answer no on the run's page in V1, which has a button for it."""
    open_run(page, site, run, "")
    page.get_by_role("button", name="Resume").click()
    playwright.expect(page.get_by_text(PLANNED).first).to_be_visible()
    choose(page, "Decision", "decline")
    type_into(page, "Your name", "Mei Tan")
    press_until(site, page.locator(".p-modal").get_by_role("button", name="Submit"), run, "Suspended")


def watch(page: "playwright.Page", site: PrefectSite, sandbox: Sandbox, run: str) -> None:
    """See the page move; while nothing is seen, the gateway holds the account up, so the run can't end unseen."""
    held_until = 0.0

    def moving() -> bool:
        nonlocal held_until
        if re.match(r"Sending: [1-9]", str(campaign_page(site, run)["description"])):
            return True
        assert site.run(run)["state_name"] not in ENDED, "the run ended before its progress was seen"
        if sandbox.gateway.stats().calls and time.monotonic() >= held_until:
            sandbox.gateway.add_fault("throttle", next=1, retry_after_ms=_HOLD_SECONDS * 1_000)
            held_until = time.monotonic() + _HOLD_SECONDS
        return False

    site.until(moving, "a progress that moves")
    look_at(page, site, run, "page", "Sending: ", "accepted", "To stop, press Cancel", as_picture="progress")


def campaign_page(site: PrefectSite, run: str) -> dict[str, Any]:
    """Return the campaign's page, an artifact of the run."""
    found = [artifact for key, artifact in site.artifacts(run).items() if key.endswith("-page")]
    return found[0] if found else {"description": "", "data": ""}


def look_at(
    page: "playwright.Page",
    site: PrefectSite,
    run: str,
    name: str,
    *texts: str,
    ui: str = "/v2",
    as_picture: str | None = None,
    height: int = 900,
) -> None:
    """Open an artifact of the run and see these texts in it."""
    (artifact,) = (each for key, each in site.artifacts(run).items() if key.endswith(f"-{name}"))
    page.goto(f"{site.url}{ui}/artifacts/artifact/{artifact['id']}")
    for text in texts:
        playwright.expect(page.get_by_text(text).first).to_be_visible()
    if as_picture is not None:
        picture(page, as_picture, height=height)


def test_an_operator_sends_a_campaign_from_the_browser(
    page: "playwright.Page", site: PrefectSite, sandbox: Sandbox
) -> None:
    """From the empty form to the report: nothing is sent before the approval, everything after it."""
    sandbox.gateway.reset()
    sandbox.gateway.set_latency(0.1, 0.3)
    sandbox.gateway.add_fault("accept_then_drop", next=1)

    run = site.start(
        recipients=[f"s3://{sandbox.bucket}/lists/"],
        message=MESSAGE,
        type="NOTIFY",
        campaign=CAMPAIGN,
        sender_id="Parcels",
        numbers_per_call=50,
    )
    site.wait_for(run, "Suspended", *ENDED)
    assert sandbox.gateway.stats().calls == 0
    waiting = "Waiting for approval until"
    look_at(page, site, run, "page", waiting, MESSAGE, "Singapore 🇸🇬", as_picture="preview", height=1_610)
    look_at(page, site, run, "page", waiting, MESSAGE, "Singapore 🇸🇬", ui="")
    planned = _results(sandbox, CAMPAIGN).filter(pl.col("status") == "not_sent")["phone_number"]
    sandbox.gateway.add_fault("code:MOBILE_NUMBER_ILLEGAL", number=planned[-1].removeprefix("+"))
    answer(page, site, run, "approve")
    watch(page, site, sandbox, run)
    ended = site.wait_for(run, *ENDED)
    assert ended["state_name"] == "CompletedWithUnknown"
    assert "690 accepted, 1 failed, 50 unknown" in ended["state"]["message"]
    site.until(lambda: f"{CAMPAIGN}-failures" in site.artifacts(run), "the last artifact")
    what_to_do = "The gateway says that the number's format is wrong: check it."
    look_at(page, site, run, "page", what_to_do, "results.parquet", ui="")
    look_at(page, site, run, "page", what_to_do, "results.parquet", as_picture="report", height=1_250)
    playwright.expect(page.get_by_role("link", name="results.parquet")).to_have_attribute(
        "href", re.compile(r"/campaigns/parcels-2026-11-24/results\.parquet$")
    )
    look_at(page, site, run, "failures", "MOBILE_NUMBER_ILLEGAL", ui="")
    look_at(page, site, run, "failures", "MOBILE_NUMBER_ILLEGAL", as_picture="failures", height=800)
    for ui in ("", "/v2"):
        open_run(page, site, run, ui)
        playwright.expect(page.get_by_text("CompletedWithUnknown").first).to_be_visible()
        playwright.expect(page.get_by_text("The outcome of 50 rows is unknown").first).to_be_in_viewport()
    picture(page, "run")
    assert "Finished in state Completed" not in "".join(site.log(run)[:-1])

    def told() -> list[str]:
        return [event["event"] for event in reversed(site.events("sms."))]

    site.until(lambda: "sms.campaign.finished" in told(), "the last event")  # the server writes in batches
    numbers = (
        _results(sandbox, CAMPAIGN).drop_nulls("phone_number")["phone_number"].str.strip_chars_start("+").to_list()
    )
    recorded = str(site.artifacts(run)) + str(site.run(run)) + str(site.events("sms."))
    assert [number for number in numbers if number in recorded] == []
    assert told() == ["sms.campaign.approval_needed", "sms.campaign.started", "sms.campaign.finished"]


@long_form
def test_a_declined_campaign_sends_nothing_and_is_asked_for_again(
    page: "playwright.Page", site: PrefectSite, sandbox: Sandbox
) -> None:
    """The answer no frees everything and is on record; the next run of the campaign asks again, and yes is yes."""
    sandbox.gateway.reset()
    order = {
        "recipients": [f"s3://{sandbox.bucket}/lists/"],
        "message": "Asked for twice.",
        "type": "MKT",
        "campaign": "declined",
        "numbers_per_call": 50,
        "calls_per_second": 4,
    }
    first = site.start(**order)
    site.wait_for(first, "Suspended", *ENDED)
    assert site.answer(first, decision="perhaps", name="Mei Tan")["status"] == "REJECT"
    site.answer(first, decision="approve")  # no name, no yes: it's asked for again
    site.wait_for(first, "Suspended", *ENDED)
    assert sandbox.gateway.stats().calls == 0
    decline_in_v1(page, site, first)
    ended = site.wait_for(first, *ENDED)
    assert (ended["state_name"], ended["state_type"]) == ("Declined", "CANCELLED")
    assert "by Mei Tan in Prefect; nothing was sent" in ended["state"]["message"]
    assert sandbox.gateway.stats().calls == 0
    assert _reasons(sandbox, "declined") == ["declined"]

    second = site.start(**order)
    site.wait_for(second, "Suspended", *ENDED)
    site.answer(second, decision="approve", name="Mei Tan")
    assert site.wait_for(second, *ENDED)["state_name"] == "Completed"
    third = site.start(**order)  # nobody is asked, for it was approved, and nothing is left
    assert site.wait_for(third, "Suspended", *ENDED)["state_name"] == "Completed"
    assert sandbox.gateway.stats().accepted_twice == 0


@long_form
def test_a_campaign_that_nobody_answers_for_has_results_that_say_so(site: PrefectSite, sandbox: Sandbox) -> None:
    """No process waits for the answer; the results stand before the time is up, and the run ends as declined."""
    sandbox.gateway.reset()
    run = site.start(
        recipients=[f"s3://{sandbox.bucket}/lists/"],
        message="Nobody answers for it.",
        type="MKT",
        campaign="unanswered",
        approval_timeout=2,
        numbers_per_call=50,
    )
    site.wait_for(run, "Suspended", *ENDED)
    ended = site.wait_for(run, *ENDED)
    assert (ended["state_name"], ended["state_type"]) == ("Declined", "CANCELLED")
    assert "nobody answered in 2 s; nothing was sent" in ended["state"]["message"]
    assert site.answer(run, decision="approve", name="Mei Tan")["status"] == "ABORT"
    assert _reasons(sandbox, "unanswered") == ["declined"]
    assert sandbox.gateway.stats().calls == 0


@long_form
def test_a_run_that_is_cancelled_says_how_far_it_got(
    page: "playwright.Page", site: PrefectSite, sandbox: Sandbox
) -> None:
    """Prefect's own message, which says nothing of it, is replaced; Retry sends the rest."""
    sandbox.gateway.reset()
    run = site.start(
        recipients=[f"s3://{sandbox.bucket}/lists/"],
        message="Cancelled on the way.",
        type="NOTIFY",
        campaign="cancelled",
        approve_above=5_000,
        numbers_per_call=50,
    )
    site.until(lambda: sandbox.gateway.stats().calls >= 2, "the second call")
    sandbox.gateway.add_fault("throttle", retry_after_ms=60_000)
    open_run(page, site, run, "/v2")
    press_in_menu(page, "Cancel")
    cancel = page.get_by_role("alertdialog").get_by_role("button", name=re.compile("Cancel .*run", re.IGNORECASE))
    press_until(site, cancel, run, "Running")
    site.wait_for(run, "Cancelled", *ENDED)
    site.until(lambda: "not_sent" in str(site.run(run)["state"]["message"]), "the run's own message")
    message = site.run(run)["state"]["message"]
    assert re.search(r"press Retry .*\(cancelled: [1-9]\d* accepted, .* not_sent", message, re.IGNORECASE), message
    sandbox.gateway.clear_faults()
    open_run(page, site, run, "/v2")
    press_in_menu(page, "Retry")
    press_until(site, page.get_by_role("alertdialog").get_by_role("button", name="Retry"), run, "Cancelled")
    assert site.wait_for(run, "Completed", "Failed", "Crashed")["state_name"] == "Completed"
    assert sandbox.gateway.stats().accepted_twice == 0


@long_form
def test_a_suspended_run_is_asked_again_after_its_canary_which_it_sends_once(
    site: PrefectSite, sandbox: Sandbox
) -> None:
    """Each answer starts the run again from the top, also where the canary was left unknown and is to be resent."""
    sandbox.gateway.reset()
    sandbox.gateway.add_fault("accept_then_drop", next=1)
    order = {
        "recipients": [f"s3://{sandbox.bucket}/lists/"],
        "message": "A canary first.",
        "type": "MKT",
        "campaign": "canary",
        "canary": 20,
        "max_failure_rate": 1.0,
        "on_unknown": "resend",
        "numbers_per_call": 50,
        "calls_per_second": 4,
    }
    run = site.start(**order)
    site.wait_for(run, "Suspended", *ENDED)
    assert sandbox.gateway.stats().calls == 0
    site.answer(run, decision="approve", name="Mei Tan")
    site.until(lambda: sandbox.gateway.stats().calls == 1, "the canary's call")
    site.wait_for(run, "Suspended", *ENDED)
    site.answer(run, decision="approve", name="Mei Tan")
    assert site.wait_for(run, *ENDED)["state_name"] == "CompletedWithUnknown"
    sizes = [len(arrival.numbers) for arrival in sandbox.gateway.log()]
    assert sizes[0] == 20
    assert sizes.count(20) == 1
    assert sandbox.gateway.stats().accepted_twice == 0


@long_form
def test_a_tracking_shows_what_became_of_the_messages(
    page: "playwright.Page", site: PrefectSite, sandbox: Sandbox
) -> None:
    """The run's page leads to the delivery report, with its picture in it and nobody's number."""
    sandbox.gateway.reset()
    sandbox.gateway.set_deliveries(low=0, high=0, visible_after=0, undelivered=0.2, expired=0.1)
    results = f"--results=s3://{sandbox.bucket}/campaigns"
    what = ["--message=Hello", "--type=NOTIFY", "--campaign=tracked", "--numbers-per-call=50", "--calls-per-second=4"]
    for command in (["send", f"s3://{sandbox.bucket}/lists/", *what], ["track", "tracked"]):
        run_command(site, sandbox, *command, results)
    (run,) = (found["id"] for found in site.runs() if found["name"] == "track-tracked")
    site.until(lambda: "tracked-deliveries" in site.artifacts(run), "the report")
    page.goto(f"{site.url}/runs/flow-run/{run}")
    playwright.expect(page.get_by_text("Completed").first).to_be_visible()
    page.locator(".p-tab", has_text="Artifacts").click()
    page.get_by_role("link", name="tracked-deliveries").click()
    shown = page.get_by_alt_text("Delivery")
    playwright.expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    for text in ("Delivery of tracked", "Singapore 🇸🇬", "new final state"):
        playwright.expect(page.get_by_text(text).first).to_be_visible()
    picture(page, "deliveries", height=1_250)
    recorded = str(site.artifacts(run)) + str(site.run(run))
    assert [number for arrival in sandbox.gateway.log() for number in arrival.numbers if number in recorded] == []


def run_command(site: PrefectSite, sandbox: Sandbox, *arguments: str) -> None:
    """Run `globe-sms` as at a terminal, on this site's server."""
    command = [str(Path(sys.executable).with_name("globe-sms")), *arguments]
    environment = {**os.environ, **sandbox.environment, "PREFECT_API_URL": f"{site.url}/api"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False)
    assert ended.returncode == 0, ended.stderr


def _reasons(sandbox: Sandbox, campaign: str) -> list[str]:
    """Why rows of a campaign were not sent."""
    return _results(sandbox, campaign).filter(pl.col("status") == "not_sent")["reason"].unique().to_list()


def _results(sandbox: Sandbox, campaign: str) -> pl.DataFrame:
    return pl.read_parquet(f"s3://{sandbox.bucket}/campaigns/{campaign}/results.parquet", **_s3(sandbox))


def _s3(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    environment = sandbox.environment
    return {
        "storage_options": {
            "aws_endpoint_url": environment["AWS_ENDPOINT_URL"],
            "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
            "aws_region": "us-east-1",
            "aws_allow_http": "true",
        }
    }
