"""The delivery report of a campaign: page and picture for people, JSON for programs, files beside the results."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.receipt_codes import meaning
from globe_sms.tasks.reports.delivery_by_variant import variants_as_json
from globe_sms.tasks.reports.delivery_figures import Deliveries, DeliveryFigures, count_deliveries
from globe_sms.tasks.reports.delivery_page import delivery_page
from globe_sms.tasks.reports.delivery_picture import as_svg
from globe_sms.tasks.reports.page_as_html import as_html
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.page_blocks import Page
from globe_sms.tasks.reports.prices import Prices
from globe_sms.tasks.reports.undelivered_cost import NOTHING_UNDELIVERED, UndeliveredCost, count_undelivered
from globe_sms.tasks.store import Store

PICTURE_KEY: Final = "delivery.svg"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A campaign's deliveries as they were known at `as_of`; `uri` is the campaign's folder."""

    campaign: str
    uri: str
    as_of: datetime
    figures: DeliveryFigures
    undelivered: UndeliveredCost = NOTHING_UNDELIVERED

    def summary(self) -> dict[str, Any]:
        """Return the figures for `--json`: counts, rates (0 to 1) and times (seconds)."""
        figures = self.figures
        return {
            "campaign": self.campaign,
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "deliveries": figures.total.as_json(),
            "settled_by_receipt": figures.settled,
            "seconds_to_deliver": figures.durations.as_json(),
            "by_country": _listed(figures.countries, "region"),
            "by_carrier": _listed(figures.carriers, "carrier"),
            "by_variant": variants_as_json(figures.variants),
            "by_hour": [{"hour": hour.isoformat(), **found.as_json()} for hour, found in figures.hours.items()],
            "by_code": [
                {
                    "delivery": code.delivery.value,
                    "code": code.code,
                    "messages": code.messages,
                    "meaning": meaning(code.delivery, code.code),
                }
                for code in figures.codes
            ],
            "undelivered": self.undelivered.as_json(),
        }

    def sentence(self) -> str:
        """Return the figures in one line, for a state's message or a log."""
        return self.figures.sentence()

    def page(self) -> Page:
        """Return the report as a page, without the picture."""
        return delivery_page(self.campaign, self.figures, self.as_of, self.undelivered)

    def markdown(self) -> str:
        """Return the page as Markdown with the picture inside, as Prefect's UI shows it: for an artifact."""
        page = as_markdown(self.page())
        data = self._picture_data()
        if data is None:
            return page
        title, _, rest = page.partition("\n\n")
        return f"{title}\n\n![Delivery]({data})\n\n{rest}"

    def svg(self) -> str | None:
        """Draw the picture; None if there is nothing that a figure would hide."""
        said = f"{self.sentence()}. As of {self.as_of:%Y-%m-%d %H:%M} UTC"
        return as_svg(self.figures, f"Delivery of {self.campaign}", said)

    def _picture_data(self) -> str | None:
        svg = self.svg()
        return None if svg is None else f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"

    def _repr_markdown_(self) -> str:
        return as_markdown(self.page())

    def _repr_html_(self) -> str:
        data = self._picture_data()
        picture = "" if data is None else f'<img alt="Delivery" style="max-width: 100%" src="{data}">'
        return as_html(self.page()) + picture


def make_delivery_report(
    results: pl.LazyFrame,
    states: pl.LazyFrame | None,
    *,
    campaign: str,
    uri: str,
    as_of: datetime,
    prices: Prices | None = None,
    senders: Senders | None = None,
    by_variant: bool = False,
) -> DeliveryReport:
    """Count results (`RESULTS_SCHEMA`, including its delivery columns) into a report; see `count_deliveries`."""
    undelivered = count_undelivered(results, prices, senders or Senders())
    return DeliveryReport(
        campaign, uri.rstrip("/"), as_of, count_deliveries(results, states, by_variant=by_variant), undelivered
    )


def write_delivery_report(
    store: Store,
    campaign: str,
    results: Path,
    scratch: Path,
    *,
    as_of: datetime | None = None,
    prices: Prices | None = None,
    senders: Senders | None = None,
    by_variant: bool = False,
) -> DeliveryReport:
    """Make the report of a campaign and put its picture, if it has one, beside the results, as `delivery.svg`.

    Args:
        store: the campaign's own folder.
        campaign: its id.
        results: a local copy of its current results.
        scratch: a local folder for copies of the archive and for the picture.
        as_of: when the results were right; by default now.
        prices: of a part; None if what wasn't delivered has no price.
        senders: who the texts are from.
        by_variant: whether the campaign has variants.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    report = make_delivery_report(
        pl.scan_parquet(results, glob=False),
        DeliveryArchive(store, scratch).scan(),
        campaign=campaign,
        uri=store.uri,
        as_of=as_of or datetime.now(UTC),
        prices=prices,
        senders=senders,
        by_variant=by_variant,
    )
    svg = report.svg()
    if svg is not None:
        path = scratch / PICTURE_KEY
        path.write_text(svg, encoding="utf-8")
        store.put_file(PICTURE_KEY, path)
    return report


def _listed(counts: Mapping[str | None, Deliveries], name: str) -> list[dict[str, Any]]:
    return [{name: key, **found.as_json()} for key, found in counts.items()]
