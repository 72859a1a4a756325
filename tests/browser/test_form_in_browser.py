"""The form in both of Prefect's UIs: filled in by mouse and by keyboard, checked, and no null in what it sends.

GLOBE_SMS_PICTURES=folder keeps the pictures, as the READMEs have them: those of V2.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")

from playwright.sync_api import Page, expect
from prefect.settings import PREFECT_API_URL, temporary_settings

from globe_sms.deployments.sandbox.child_process import wait_until
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.blocks import AlibabaSmsAccount
from tests.browser.conftest import picture
from tests.browser.forms import Form, FormV1
from tests.browser.prefect_with_ui import PrefectSite
from tests.chaos.long_form import in_browser, long_form

pytestmark = [
    in_browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Playwright leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_FOR_AN_ANSWER = 30.0  # seconds

BOTH = pytest.mark.parametrize("ui", [Form, pytest.param(FormV1, marks=long_form)], ids=["V2", "V1"])


@BOTH
def test_a_campaign_is_started_by_mouse(ui: type[Form], page: Page, site: PrefectSite, sandbox: Sandbox) -> None:
    """Nothing is started before the form is right, and each field says in words what is wrong with it."""
    form = ui(page, site)
    form.open("manual", "Recipients")
    for title in ("Recipients", "Campaign ID", "Message", "Type of message"):
        expect(form.field(title)).to_be_in_viewport()
    form.refused("Recipients", "'recipients' is a required property")
    for title, name in (("Campaign ID", "campaign"), ("Message", "message"), ("Type of message", "type")):
        expect(form.field(title)).to_contain_text(f"'{name}' is a required property")
    before = len(site.runs())
    form.add_item("Recipients").click()
    expect(form.control("Recipients")).to_be_visible()
    assert len(site.runs()) == before, "Add item has started a run"
    _fill_in(form, sandbox, "my parcels", "Singapore")
    form.refused("Campaign ID", "1 to 100 letters, digits, dashes or underscores")
    if ui is Form:
        expect(form.field("Region of local numbers")).to_contain_text("two letters, such as SG")
    # A form of its own: on a busy server V2 may go on showing what was wrong with a value that has been mended.
    form.open("manual", "Recipients")
    form.add_item("Recipients").click()
    _fill_in(form, sandbox, "parcels-2026-11-30", "SG")
    page.get_by_text("Run Name").first.scroll_into_view_if_needed()
    if ui is Form:
        picture(page, "form", height=1_050)
    given = form.submit()["parameters"]
    assert {name: given[name] for name in ("recipients", "campaign", "message", "type", "sender_id")} == {
        "recipients": [f"s3://{sandbox.bucket}/lists/"],
        "campaign": "parcels-2026-11-30",
        "message": "Your parcel arrives tomorrow.",
        "type": "NOTIFY",
        "sender_id": "Parcels",
    }
    assert given["number_reading"]["default_region"] == "SG"
    assert given["approve_above"] == 0
    assert ": null" not in json.dumps(given)


def _fill_in(form: Form, sandbox: Sandbox, campaign: str, region: str) -> None:
    form.fill("Recipients", f"s3://{sandbox.bucket}/lists/")
    form.fill("Campaign ID", campaign)
    form.fill("Message", "Your parcel arrives tomorrow.")
    form.choose("Type of message", "NOTIFY")
    form.fill("Sender ID", "Parcels")
    form.fill("Region of local numbers", region)


@BOTH
def test_a_campaign_is_tried_by_keyboard(ui: type[Form], page: Page, site: PrefectSite, sandbox: Sandbox) -> None:
    """Tab leads from field to field, in their order."""
    form = ui(page, site)
    form.open("try-it", "Recipients")
    page.get_by_text("Run Name").first.click()
    form.tab_to(form.add_item("Recipients"))
    page.keyboard.press("Enter")
    expect(form.control("Recipients")).to_be_visible()
    form.control("Recipients").focus()
    page.keyboard.type(f"s3://{sandbox.bucket}/lists/")
    for title, text in (("Campaign ID", "by-keys"), ("Message", "Typed by keys")):
        form.tab_to(form.control(title))
        page.keyboard.type(text)
    form.tab_to(form.choice("Type of message"))
    form.choose_by_keys("MKT")
    form.tab_to(form.control("Results folder"))
    page.keyboard.type(f"s3://{sandbox.bucket}/campaigns")
    expect(form.field("Type of message")).to_contain_text("MKT")
    given = form.submit()["parameters"]
    assert {name: given[name] for name in ("recipients", "campaign", "message", "type", "results")} == {
        "recipients": [f"s3://{sandbox.bucket}/lists/"],
        "campaign": "by-keys",
        "message": "Typed by keys",
        "type": "MKT",
        "results": f"s3://{sandbox.bucket}/campaigns",
    }


@long_form
def test_a_number_to_explain_is_kept_in_a_block_that_the_form_makes(
    page: Page, site: PrefectSite, sandbox: Sandbox
) -> None:
    """What Prefect records of the run is the block's id."""
    form = Form(page, site)
    form.open("explain-number", "Number")
    form.field("Number").get_by_role("button", name="Add", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("caller")
    dialog.locator("input[type=password]").fill("+65 8123 4567")
    dialog.get_by_role("button", name="Create").click()
    expect(form.field("Number")).to_contain_text("caller")
    form.fill("Results folder", f"s3://{sandbox.bucket}/campaigns")
    given = form.submit()["parameters"]
    assert given["number"].keys() == {"$ref"}
    assert "8123" not in json.dumps(given)


@BOTH
def test_an_account_is_entered_as_a_block(ui: type[Form], page: Page, site: PrefectSite) -> None:
    """Each field has a title and no choice of types; nothing of the page comes from another host."""
    with temporary_settings({PREFECT_API_URL: f"{site.url}/api"}), ThreadPoolExecutor(1) as pool:
        # In a thread: Playwright has a loop in this one, and Prefect would return a coroutine.
        pool.submit(copy_context().run, AlibabaSmsAccount.register_type_and_schema).result()
    first = page.get_by_text(re.compile(r"^Access key ID( \(Optional\))?$")).first
    ui(page, site).visit("/blocks/catalog/alibaba-sms-account/create", first)
    for title in ("Region of the endpoint", "Calls a second", "Policy"):
        expect(page.get_by_text(re.compile(rf"^{title}( \(Optional\))?$")).first).to_be_visible()
    expect(page.get_by_role("tab", name="None")).to_have_count(0)
    expect(page.get_by_role("button", name="None", exact=True)).to_have_count(0)


def test_editing_a_schedule_overrides_nothing(page: Page, site: PrefectSite) -> None:
    """V2 shows all fields beside the cron: what nobody touches stays the deployment's, above all the campaign ID."""
    scheduled = site.deployments()["scheduled"]
    with_text = scheduled["parameters"] | {"message": "Good morning"}
    site.ask("PATCH", f"/deployments/{scheduled['id']}", {"parameters": with_text})
    shown = page.get_by_text(re.compile(r"At 0(9:00|8:30) AM|(0 9|30 8) \* \* \*")).first
    form, dialog = Form(page, site), page.get_by_role("dialog")

    def schedule() -> Any:
        return site.deployments()["scheduled"]["schedules"][0]

    def is_new() -> bool:
        return schedule()["schedule"]["cron"] == "30 8 * * *"

    def edited() -> bool:
        """Edit it as a person does who sees that nothing has changed: V2 may fill in the old time after the new one."""
        form.visit(f"/deployments/deployment/{scheduled['id']}", shown)
        page.get_by_role("button", name="Open menu").last.click()
        page.get_by_role("menuitem", name="Edit").click()
        dialog.get_by_label("Value", exact=True).fill("30 8 * * *")
        dialog.get_by_role("button", name="Save").click()
        with suppress(TimeoutError):  # the dialog closes before the server has answered
            wait_until(is_new, seconds=_FOR_AN_ANSWER, what="the new time")
        return is_new()

    site.until(edited, "the new time")
    assert schedule()["parameters"] == {}


@BOTH
def test_a_deployments_page_says_what_to_fill_in(ui: type[Form], page: Page, site: PrefectSite) -> None:
    """What it is, what to fill in, what happens then; and a link to its last report."""
    identifier = site.deployments()["manual"]["id"]
    what = page.get_by_text("Sends a campaign that you start from the form").first
    ui(page, site).visit(f"/deployments/deployment/{identifier}?tab=Description", what)
    for text in ("Fill in", "Then"):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_role("link", name="last report")).to_have_attribute("href", re.compile("manual-last-report$"))
    if ui is Form:
        picture(page, "deployment", height=700)
