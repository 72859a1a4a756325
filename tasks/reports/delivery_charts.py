"""The charts of the delivery picture: by country or carrier, by code, by hour, by time to deliver.

The colours are Okabe and Ito's, which people with any colour vision can tell apart.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import altair as alt

from globe_sms.tasks.reports.delivery_figures import Deliveries, DeliveryFigures, Durations
from globe_sms.tasks.reports.percentages import percent
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.statuses import Delivery

COLOURS: Final = {
    Delivery.DELIVERED: "#0072B2",
    Delivery.UNDELIVERED: "#D55E00",
    Delivery.EXPIRED: "#E69F00",
    Delivery.PENDING: "#C4C4C4",
}
_MOST_BARS: Final = 15
_MOST_CODES: Final = 8
WIDTH: Final = 330
_BAR: Final = 20
_WIDEST_HOUR: Final = 70
INK, QUIET = "#222222", "#666666"
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

Panel = alt.LayerChart | alt.FacetChart  # what `properties` of altair is typed to return


def _title(text: str, subtitle: str) -> alt.TitleParams:
    return alt.TitleParams(text, subtitle=subtitle, subtitleFontSize=11, subtitlePadding=4)


def shares_chart(counts: Mapping[str, Deliveries], title: str, plural: str) -> Panel:
    """Draw a bar per entry, split by what happened to its messages; beyond the largest entries the rest is one bar."""
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
            color=colour(),
            order=alt.Order("order:Q"),
        )
    )
    texts = (
        alt.Chart(alt.Data(values=labels)).mark_text(align="left", dx=6).encode(x=alt.value(WIDTH), y=y, text="label:N")
    )
    return alt.layer(bars, texts).properties(title=title, width=WIDTH, height=alt.Step(_BAR))


def failures_chart(figures: DeliveryFigures) -> Panel:
    """Draw how many messages were not delivered, by code."""
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
    # By position, because undelivered and expired messages may share a code.
    names = " + ".join(
        f"(datum.value == {place} ? {_quoted(_short(failure.code or 'no code'))} : '')"
        for place, failure in enumerate(shown)
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("messages:Q", title=None, axis=None, scale=alt.Scale(domainMin=0)),
        y=alt.Y("row:O", title=None, axis=alt.Axis(labelExpr=names, labelLimit=190)),
    )
    bars = base.mark_bar(height=_BAR - 6).encode(color=colour())
    texts = base.mark_text(align="left", dx=6).encode(text="label:N")
    left_out = len(figures.failures) - len(shown)
    said = f"messages; {left_out} rarer codes not shown" if left_out else "messages"
    return alt.layer(bars, texts).properties(
        title=_title("Not delivered, by code", said), width=WIDTH, height=alt.Step(_BAR)
    )


def hours_chart(figures: DeliveryFigures) -> alt.VConcatChart:
    """Draw shares and numbers by the hour of sending."""
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
    base = alt.Chart(alt.Data(values=rows)).encode(color=colour(), order=alt.Order("order:Q"))
    width = min(WIDTH, _WIDEST_HOUR * len(figures.hours))

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
            title=alt.TitleParams("messages", fontSize=11, fontWeight="normal", color=QUIET, offset=4),
            width=width,
            height=60,
        ),
        spacing=6,
    )


def time_chart(durations: Durations) -> Panel:
    """Draw the share of delivered messages by how long they took."""
    last = max(10, durations.seconds[-1])
    # The line needs no more points than the picture has pixel columns.
    wanted = {durations.within((place + 1) / WIDTH) for place in range(WIDTH)} | {durations.seconds[0]}
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
        .mark_point(filled=True, size=45, opacity=1, color=INK)
        .encode(x=x, y=y)
    )
    title = _title("Delivered messages, by the time they took", said)
    return alt.layer(line, points).properties(title=title, width=WIDTH, height=170)


def _shortened(counts: Mapping[str, Deliveries], plural: str) -> Iterator[tuple[str, Deliveries]]:
    entries = [(_short(name), found) for name, found in counts.items()]
    many = len(entries) > _MOST_BARS
    shown = _MOST_BARS - 1 if many else _MOST_BARS
    yield from entries[:shown]
    if many:
        rest = sum((found for _, found in entries[shown:]), Deliveries())
        yield f"{len(entries) - shown} more {plural}", rest


def _rate(found: Deliveries) -> str:
    if found.rate is None:
        return f"none of {found.messages:,} known"
    return f"{percent(found.rate)} of {found.final:,}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def colour() -> alt.Color:
    """Return the colour of each delivery, without a legend."""
    scale = alt.Scale(domain=[str(state) for state in COLOURS], range=[*COLOURS.values()])
    return alt.Color("state:N", scale=scale, legend=None)


def _percent_axis() -> alt.Axis:
    return alt.Axis(values=[0, 0.5, 1], labelExpr="format(datum.value * 100, 'd') + ' %'")
