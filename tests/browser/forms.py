"""The forms of Prefect's two UIs, as a person uses them: by the titles of their fields."""

import re
from contextlib import suppress
from typing import Any

from playwright.sync_api import Locator, Page, expect

from globe_sms.deployments.sandbox.child_process import wait_until
from tests.browser.prefect_with_ui import PrefectSite

_MOST_TABS = 25  # between two fields
_BETWEEN_PRESSES = 15.0  # seconds
_BETWEEN_VISITS_MS = 45_000


class Form:
    """A form of the UI V2, Prefect's default since 3.8."""

    base = "/v2"

    def __init__(self, page: Page, site: PrefectSite) -> None:
        self.page, self.site = page, site

    def open(self, deployment: str, first: str) -> None:
        """Open the form of *Custom run*, once its first field is seen."""
        identifier = self.site.deployments()[deployment]["id"]
        self.visit(f"/deployments/deployment/{identifier}/run", self.page.get_by_text(first, exact=True).first)

    def visit(self, path: str, seen: Locator) -> None:
        """Open a page of this UI, again if it doesn't come: V2 gives up where a busy server has answered 503."""

        def loaded() -> bool:
            self.page.goto(f"{self.site.url}{self.base}{path}")
            with suppress(AssertionError):
                expect(seen).to_be_visible(timeout=_BETWEEN_VISITS_MS)
            return seen.is_visible()

        self.site.until(loaded, f"the page {path}")

    def field(self, title: str) -> Locator:
        """Return the field with this title."""
        label = self.page.locator("label", has_text=_titled(title))
        return self.page.locator("div.group").filter(has=label).last

    def control(self, title: str) -> Locator:
        """Return what a field of one value is typed into, or the last item of a list."""
        return self.field(title).locator("textarea, input").last

    def add_item(self, title: str) -> Locator:
        """Return the button that adds an item to a list."""
        return self.field(title).get_by_role("button", name="Add item")

    def fill(self, title: str, value: str) -> None:
        """Type into a field."""
        self.control(title).fill(value)
        self.control(title).press("Tab")  # the form moves when a field is left, and a click on what has moved is lost

    def choice(self, title: str) -> Locator:
        """Return what opens a list of choices."""
        return self.field(title).get_by_role("button", name=f"Select {title}")

    def choose(self, title: str, option: str) -> None:
        """Choose by the mouse."""
        self.choice(title).click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def choose_by_keys(self, option: str) -> None:
        """Choose in the list that has the focus."""
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("option", name=option, exact=True)).to_be_visible()
        self.page.keyboard.type(option)
        self.page.keyboard.press("Enter")

    def tab_to(self, control: Locator) -> None:
        """Press Tab until the focus is there."""
        for _ in range(_MOST_TABS):
            self.page.keyboard.press("Tab")
            if control.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError("the keyboard doesn't lead there")

    @property
    def submit_button(self) -> Locator:
        """The button that starts the run."""
        return self.page.get_by_role("button", name="Submit")

    def told(self, title: str, words: str) -> Locator:
        """Return what says these words about a field."""
        return self.field(title).get_by_text(re.compile(re.escape(words))).last

    def refused(self, title: str, words: str) -> None:
        """Press Submit, and see these words at the field; no run is created."""
        before = len(self.site.runs())

        def said() -> bool:
            self.submit_button.press("Enter")  # the form does nothing while it still checks the last field
            with suppress(AssertionError):
                expect(self.told(title, words)).to_be_visible(timeout=_BETWEEN_PRESSES * 1_000)
            return self.told(title, words).is_visible()

        self.site.until(said, f"what is wrong with {title}")
        assert len(self.site.runs()) == before

    def submit(self) -> dict[str, Any]:
        """Press Submit, and return the run; it's cancelled before it begins, if it hasn't yet."""
        before = {run["id"] for run in self.site.runs()}

        def new() -> list[dict[str, Any]]:
            return [run for run in self.site.runs() if run["id"] not in before]

        def submitted() -> bool:
            self.submit_button.press("Enter")  # the form does nothing while it still checks the last field
            with suppress(TimeoutError):
                wait_until(lambda: bool(new()), seconds=_BETWEEN_PRESSES, what="the run")
            return bool(new())

        self.site.until(submitted, "the run")
        (run,) = new()
        cancelled = {"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
        self.site.ask("POST", f"/flow_runs/{run['id']}/set_state", cancelled)
        return run


class FormV1(Form):
    """A form of the UI V1."""

    base = ""

    def field(self, title: str) -> Locator:
        """Return the field with this title."""
        label = self.page.locator(".schema-form-property__label", has_text=_titled(title))
        return self.page.locator(".schema-form-property").filter(has=label).last

    def told(self, title: str, words: str) -> Locator:  # noqa: ARG002  # its message names the field
        """Return what says these words: V1 shows in a corner what the server answers."""
        return self.page.get_by_text(re.compile(re.escape(words))).last

    def choice(self, title: str) -> Locator:
        """Return what opens a list of choices."""
        return self.field(title).locator(".p-select-button__control")

    def choose(self, title: str, option: str) -> None:
        """Choose by the mouse, from a list that a key opens: it keeps it open."""
        self.choice(title).press("ArrowDown")
        self.page.get_by_role("option", name=option, exact=True).click()

    def choose_by_keys(self, option: str) -> None:
        """Choose in the list that has the focus."""
        self.page.keyboard.press("ArrowDown")
        options = self.page.get_by_role("option")
        expect(options.first).to_be_visible()
        place = options.all_inner_texts().index(option)
        for _ in range(place):
            self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Enter")


def _titled(title: str) -> re.Pattern[str]:
    return re.compile(rf"^{re.escape(title)}( \(Optional\))?$")
