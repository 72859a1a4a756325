"""The delivery report as one picture: countries, failures, hours, time to deliver.

Colours are Okabe and Ito's, which people see apart whatever their colour vision; all texts are drawn with fonts that
vl-convert brings along, so that a picture looks alike on every machine.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import altair as alt

from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.reports.delivery_figures import Deliveries, DeliveryFigures, Durations
from globe_sms.tasks.reports.delivery_rates import percent
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.statuses import Delivery

COLOURS: Final = {
    Delivery.DELIVERED: "#0072B2",
    Delivery.UNDELIVERED: "#D55E00",
    Delivery.EXPIRED: "#E69F00",
    Delivery.PENDING: "#C4C4C4",
}
MOST_BARS: Final = 15
_MOST_CODES: Final = 8
_WIDTH: Final = 330
_BAR: Final = 20
_WIDEST_HOUR: Final = 70
_INK, _QUIET, _GRID = "#222222", "#666666", "#E8E8E8"
_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
_HOUR_LABEL: Final = "utcFormat(datum.value, utchours(datum.value) == 0 ? '%d %b' : '%H:%M')"
_NUMBER_LABEL: Final = "datum.value == 0 ? '0' : format(datum.value, '~s')"
_SPANS: Final = {
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
    3_600: "1 h",
    21_600: "6 h",
    86_400: "1 d",
    604_800: "7 d",
}
_SHARES: Final = ((0.5, "half"), (0.9, "90 %"), (0.99, "99 %"))
_LONGEST_NAME: Final = 26
_SCALE: Final = 2.0

_Panel = alt.LayerChart | alt.FacetChart  # what altair's `properties` is said to return


def as_svg(figures: DeliveryFigures, title: str, subtitle: str) -> str:
    """Draw the report as SVG; `figures` must count at least one message."""
    import vl_convert

    spec = _chart(figures, title, subtitle).to_dict()
    return str(vl_convert.vegalite_to_svg(spec, vl_version=alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]))


def as_png(svg: str) -> bytes:
    """Return what `as_svg` drew as PNG, two pixels a point."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=_SCALE))


def _chart(figures: DeliveryFigures, title: str, subtitle: str) -> alt.ConcatChart:
    named = {country(region).name: counts for region, counts in figures.countries.items()}
    left: list[Any] = [_shares(named, "Delivered by country", "countries")]
    if figures.failures:
        left.append(_failures(figures))
    right: list[Any] = []
    if figures.hours:
        right.append(_hours(figures))
    if figures.durations.count:
        right.append(_time_to_deliver(figures.durations))
    carriers = {carrier or "unknown (receipts only)": counts for carrier, counts in figures.carriers.items()}
    if any(figures.carriers):
        right.append(_shares(carriers, "Delivered by carrier", "carriers"))
    columns = [alt.vconcat(*panels, spacing=26).resolve_scale(color="shared") for panels in (left, right) if panels]
    # The legend stands above both columns, once.
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
            color=_INK,
            subtitleColor=_QUIET,
            offset=8,
        )
        .configure_axis(
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            labelColor=_INK,
            titleColor=_QUIET,
            gridColor=_GRID,
            domain=False,
            ticks=False,
            labelPadding=6,
        )
        .configure_text(fontSize=11, color=_INK, font=_FONT)
    )


def _title(text: str, subtitle: str) -> alt.TitleParams:
    return alt.TitleParams(text, subtitle=subtitle, subtitleFontSize=11, subtitlePadding=4)


def _legend() -> _Panel:
    places = (0, 90, 195, 275)
    names = ("delivered", "undelivered", "expired", "not known yet")
    rows = [{"x": x, "name": name, "state": str(state)} for x, name, state in zip(places, names, Delivery, strict=True)]
    base = alt.Chart(alt.Data(values=rows), width=_WIDTH + 60, height=14).encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, _WIDTH + 60], nice=False))
    )
    square = base.mark_square(size=110, opacity=1).encode(color=_colour())
    return alt.layer(square, base.mark_text(align="left", dx=10).encode(text="name:N"))


def _shares(counts: Mapping[str, Deliveries], title: str, plural: str) -> _Panel:
    shown = [*_shortened(counts, plural)]
    rows = [
        {
            "name": name,
            "state": str(state),
            "order": place,
            "share": getattr(found, state) / found.messages,
        }
        for name, found in shown
        for place, state in enumerate(Delivery)
    ]
    labels = [{"name": name, "label": _rate(found)} for name, found in shown]
    names = [name for name, _ in shown]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=190))
    bars = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(height=_BAR - 6)
        .encode(
            x=alt.X("share:Q", stack="zero", title=None, axis=_percent_axis(), scale=alt.Scale(domain=[0, 1])),
            y=y,
            color=_colour(),
            order=alt.Order("order:Q"),
        )
    )
    texts = (
        alt.Chart(alt.Data(values=labels))
        .mark_text(align="left", dx=6)
        .encode(x=alt.value(_WIDTH), y=y, text="label:N")
    )
    return alt.layer(bars, texts).properties(title=title, width=_WIDTH, height=alt.Step(_BAR))


def _failures(figures: DeliveryFigures) -> _Panel:
    shown = figures.failures[:_MOST_CODES]
    rows = [
        {
            "state": str(failure.delivery),
            "messages": failure.messages,
            "label": f"{failure.messages:,}",
            "row": place,
        }
        for place, failure in enumerate(shown)
    ]
    # By place, because a code may stand for undelivered and for expired messages.
    names = " + ".join(
        f"(datum.value == {place} ? {_quoted(_short(failure.code or 'no code'))} : '')"
        for place, failure in enumerate(shown)
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("messages:Q", title=None, axis=None, scale=alt.Scale(domainMin=0)),
        y=alt.Y("row:O", title=None, axis=alt.Axis(labelExpr=names, labelLimit=190)),
    )
    bars = base.mark_bar(height=_BAR - 6).encode(color=_colour())
    texts = base.mark_text(align="left", dx=6).encode(text="label:N")
    left_out = len(figures.failures) - len(shown)
    said = f"messages; {left_out} rarer codes left out" if left_out else "messages"
    return alt.layer(bars, texts).properties(
        title=_title("Not delivered, by code", said), width=_WIDTH, height=alt.Step(_BAR)
    )


def _hours(figures: DeliveryFigures) -> alt.VConcatChart:
    rows = [
        {
            "hour": f"{hour:%Y-%m-%dT%H:%M:%SZ}",
            "state": str(state),
            "order": place,
            "messages": getattr(found, state),
            "share": getattr(found, state) / found.messages,
        }
        for hour, found in figures.hours.items()
        for place, state in enumerate(Delivery)
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(color=_colour(), order=alt.Order("order:Q"))
    width = min(_WIDTH, _WIDEST_HOUR * len(figures.hours))

    def hour(title: str | None, *, labels: bool) -> alt.X:
        axis = alt.Axis(
            labels=labels, grid=False, labelOverlap="greedy", labelSeparation=10, labelExpr=_HOUR_LABEL, tickCount=8
        )
        return alt.X("utcyearmonthdatehours(hour):T", title=title, axis=axis, scale=alt.Scale(type="utc"))

    share = base.mark_bar().encode(
        x=hour(None, labels=False),
        y=alt.Y("share:Q", stack="zero", title=None, axis=_percent_axis(), scale=alt.Scale(domain=[0, 1])),
    )
    number = base.mark_bar().encode(
        x=hour("hour of sending, UTC", labels=True),
        y=alt.Y("messages:Q", title=None, axis=alt.Axis(tickCount=3, labelExpr=_NUMBER_LABEL)),
    )
    return alt.vconcat(
        share.properties(title="Delivered by hour of sending", width=width, height=90),
        number.properties(
            title=alt.TitleParams("messages", fontSize=11, fontWeight="normal", color=_QUIET, offset=4),
            width=width,
            height=60,
        ),
        spacing=6,
    )


def _time_to_deliver(durations: Durations) -> _Panel:
    last = max(10, durations.seconds[-1])
    # The line needs no more points than the picture has columns.
    wanted = {durations.within((place + 1) / _WIDTH) for place in range(_WIDTH)} | {durations.seconds[0]}
    curve, done = [{"seconds": 1, "share": 0.0}], 0
    for seconds, messages in zip(durations.seconds, durations.messages, strict=True):
        done += messages
        if seconds in wanted:
            curve.append({"seconds": max(1, seconds), "share": done / durations.count})
    curve.append({"seconds": last, "share": 1.0})
    marks = [(share, words, durations.within(share) or 0) for share, words in _SHARES]
    said = ", ".join(f"{words} within {in_words(within)}" for _, words, within in marks)
    ticks = [seconds for seconds in _SPANS if seconds <= last]
    labels = " + ".join(f"(datum.value == {seconds} ? '{name}' : '')" for seconds, name in _SPANS.items())
    x = alt.X(
        "seconds:Q",
        title="time from sending to delivery",
        scale=alt.Scale(type="log", domain=[1, last], nice=False, clamp=True),
        axis=alt.Axis(values=ticks, labelExpr=labels, labelFlush=True),
    )
    y = alt.Y("share:Q", title=None, axis=_percent_axis(), scale=alt.Scale(domain=[0, 1]))
    line = (
        alt.Chart(alt.Data(values=curve))
        .mark_line(interpolate="step-after", color=COLOURS[Delivery.DELIVERED], strokeWidth=2)
        .encode(x=x, y=y)
    )
    points = (
        alt.Chart(alt.Data(values=[{"seconds": max(1, within), "share": share} for share, _, within in marks]))
        .mark_point(filled=True, size=45, opacity=1, color=_INK)
        .encode(x=x, y=y)
    )
    title = _title("Delivered messages, by the time they took", said)
    return alt.layer(line, points).properties(title=title, width=_WIDTH, height=170)


def _shortened(counts: Mapping[str, Deliveries], plural: str) -> Iterator[tuple[str, Deliveries]]:
    entries = [(_short(name), found) for name, found in counts.items()]
    many = len(entries) > MOST_BARS
    shown = MOST_BARS - 1 if many else MOST_BARS
    yield from entries[:shown]
    if many:
        rest = sum((found for _, found in entries[shown:]), Deliveries())
        yield f"{len(entries) - shown} more {plural}", rest


def _rate(found: Deliveries) -> str:
    if found.rate is None:
        return f"none known of {found.messages:,}"
    return f"{percent(found.rate)} of {found.final:,}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _colour() -> alt.Color:
    scale = alt.Scale(domain=[str(state) for state in COLOURS], range=[*COLOURS.values()])
    return alt.Color("state:N", scale=scale, legend=None)


def _percent_axis() -> alt.Axis:
    return alt.Axis(values=[0, 0.5, 1], labelExpr="format(datum.value * 100, 'd') + ' %'")
