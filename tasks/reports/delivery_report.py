"""What became of a campaign's messages after the sending: the figures, for people and for programs, and a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.receipt_codes import meaning
from globe_sms.tasks.reports.delivery_figures import Deliveries, DeliveryFigures, count_deliveries
from globe_sms.tasks.reports.delivery_rates import percent
from globe_sms.tasks.reports.page_markup import as_html, as_markdown
from globe_sms.tasks.store import Store

PICTURE_KEYS: Final = ("delivery.svg", "delivery.png")


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The deliveries of a campaign as they were known at `as_of`. `uri` is the campaign's folder."""

    campaign: str
    uri: str
    as_of: datetime
    figures: DeliveryFigures

    def summary(self) -> dict[str, Any]:
        """The machine-readable form: counts, rates (0 to 1) and times (seconds)."""
        figures = self.figures
        return {
            "campaign": self.campaign,
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "deliveries": figures.total.as_json(),
            "settled_by_receipt": figures.settled,
            "seconds_to_deliver": figures.durations.as_json(),
            "by_country": _listed(figures.countries, "region"),
            "by_carrier": _listed(figures.carriers, "carrier"),
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
        }

    def sentence(self) -> str:
        """The figures in one line, for a state's message, a log or under a picture's title."""
        total = self.figures.total
        pending = f"; {total.pending:,} not known yet" if total.pending else ""
        if total.rate is None:
            return f"nothing is known yet of {total.pending:,} messages" if total.pending else "no accepted messages"
        of = f"{total.delivered:,} of {total.final:,} messages with a known end"
        return f"{percent(total.rate)} delivered: {of}{pending}"

    def svg(self) -> str | None:
        """Draw the picture; None without messages."""
        if not self.figures.total.messages:
            return None
        from globe_sms.tasks.reports.delivery_charts import as_svg

        said = f"{self.sentence()}. As of {self.as_of:%Y-%m-%d %H:%M} UTC"
        return as_svg(self.figures, f"Delivery of {self.campaign}", said)

    def _repr_markdown_(self) -> str:
        from globe_sms.tasks.reports.delivery_page import delivery_page  # the page is made of the report

        return as_markdown(delivery_page(self))

    def _repr_html_(self) -> str:
        from globe_sms.tasks.reports.delivery_page import delivery_page, picture_html

        return as_html(delivery_page(self)) + picture_html(self)


def make_delivery_report(
    results: pl.LazyFrame, states: pl.LazyFrame | None, *, campaign: str, uri: str, as_of: datetime
) -> DeliveryReport:
    """Count results (`RESULTS_SCHEMA`, the columns of the delivery with it) into a report; see `count_deliveries`."""
    return DeliveryReport(campaign, uri.rstrip("/"), as_of, count_deliveries(results, states))


def write_delivery_report(
    store: Store, campaign: str, results: Path, scratch: Path, *, as_of: datetime | None = None
) -> DeliveryReport:
    """Make the report of a campaign and put its picture beside the results, as `delivery.svg` and `delivery.png`.

    Args:
        store: the campaign's own folder.
        campaign: its id.
        results: a local copy of its results, as they stand now.
        scratch: a local folder, for copies of the archive and the pictures.
        as_of: when the results were right; now, where it is left out.

    Raises:
        StoreError: the store did not answer, or refused.
    """
    report = make_delivery_report(
        pl.scan_parquet(results, glob=False),
        DeliveryArchive(store, scratch).scan(),
        campaign=campaign,
        uri=store.uri,
        as_of=as_of or datetime.now(UTC),
    )
    svg = report.svg()
    if svg is not None:
        from globe_sms.tasks.reports.delivery_charts import as_png

        for key, body in zip(PICTURE_KEYS, (svg.encode(), as_png(svg)), strict=True):
            path = scratch / key
            path.write_bytes(body)
            store.put_file(key, path)
    return report


def _listed(counts: Mapping[str | None, Deliveries], name: str) -> list[dict[str, Any]]:
    return [{name: key, **found.as_json()} for key, found in counts.items()]
