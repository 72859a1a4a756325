"""The delivery report as one picture, as SVG and as PNG.

All text is drawn with fonts that vl-convert includes, so a picture looks the same on every machine.
"""

from typing import Any, Final

import altair as alt

from globe_sms.tasks.delivery.delivery_states import Delivery
from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.delivery_charts import (
    INK,
    QUIET,
    WIDTH,
    Panel,
    colour,
    failures_chart,
    hours_chart,
    shares_chart,
    time_chart,
)
from globe_sms.tasks.reports.delivery_figures import DeliveryFigures

_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
_GRID: Final = "#E8E8E8"
_SCALE: Final = 2.0


def as_svg(figures: DeliveryFigures, title: str, subtitle: str) -> str:
    """Draw the picture as SVG; `figures` must count at least one message."""
    import vl_convert

    spec = _chart(figures, title, subtitle).to_dict()
    return str(vl_convert.vegalite_to_svg(spec, vl_version=alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]))


def as_png(svg: str) -> bytes:
    """Return what `as_svg` drew as PNG, two pixels per point."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=_SCALE))


def _chart(figures: DeliveryFigures, title: str, subtitle: str) -> alt.ConcatChart:
    named = {country(region).name: counts for region, counts in figures.countries.items()}
    left: list[Any] = [shares_chart(named, "Delivered by country", "countries")]
    if figures.failures:
        left.append(failures_chart(figures))
    right: list[Any] = []
    if figures.hours:
        right.append(hours_chart(figures))
    if figures.durations.count:
        right.append(time_chart(figures.durations))
    carriers = {carrier or "not known (receipts only)": counts for carrier, counts in figures.carriers.items()}
    if any(figures.carriers):
        right.append(shares_chart(carriers, "Delivered by carrier", "carriers"))
    columns = [alt.vconcat(*panels, spacing=26).resolve_scale(color="shared") for panels in (left, right) if panels]
    # One legend, above both columns.
    return (
        alt.concat(_legend(), alt.hconcat(*columns, spacing=36), columns=1, spacing=14, align="none")
        .properties(
            title=alt.TitleParams(
                text=title,
                subtitle=subtitle,
                frame="bounds",
                fontSize=19,
                subtitleFontSize=13,
                subtitlePadding=6,
                offset=14,
            ),
            padding=20,
        )
        .configure(font=_FONT, background="white")
        .configure_view(stroke=None)
        .configure_title(
            anchor="start",
            frame="group",
            fontSize=14,
            fontWeight="bold",
            color=INK,
            subtitleColor=QUIET,
            offset=8,
        )
        .configure_axis(
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            labelColor=INK,
            titleColor=QUIET,
            gridColor=_GRID,
            domain=False,
            ticks=False,
            labelPadding=6,
        )
        .configure_text(fontSize=11, color=INK, font=_FONT)
    )


def _legend() -> Panel:
    places = (0, 90, 195, 275)
    names = ("delivered", "undelivered", "expired", "not known yet")
    rows = [{"x": x, "name": name, "state": str(state)} for x, name, state in zip(places, names, Delivery, strict=True)]
    base = alt.Chart(alt.Data(values=rows), width=WIDTH + 60, height=14).encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, WIDTH + 60], nice=False))
    )
    square = base.mark_square(size=110, opacity=1).encode(color=colour())
    return alt.layer(square, base.mark_text(align="left", dx=10).encode(text="name:N"))
