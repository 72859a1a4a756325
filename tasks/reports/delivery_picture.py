"""The delivery report's picture, as SVG: what one figure hides.

An overall rate hides the hour in which a carrier took nothing, and a median hides the messages that take a day; both
are drawn. The report's tables say everything else better. The colours are Okabe and Ito's, which people with any colour
vision can tell apart.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import log10
from typing import Final
from xml.sax.saxutils import escape

from globe_sms.tasks.reports.delivery_figures import Deliveries, DeliveryFigures, Durations
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.statuses import Delivery

COLOURS: Final = {
    Delivery.DELIVERED: "#0072B2",
    Delivery.UNDELIVERED: "#D55E00",
    Delivery.EXPIRED: "#E69F00",
    Delivery.PENDING: "#C4C4C4",
}
_NAMES: Final = {
    Delivery.DELIVERED: "delivered",
    Delivery.UNDELIVERED: "undelivered",
    Delivery.EXPIRED: "expired",
    Delivery.PENDING: "not known yet",
}
_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
_INK, _QUIET, _GRID = "#222222", "#666666", "#E8E8E8"
_WIDTH: Final = 760
_LEFT: Final = 64
_PLOT: Final = _WIDTH - _LEFT - 24
_HEAD: Final = 104
_SHARES_HIGH, _NUMBERS_HIGH, _CURVE_HIGH = 110, 44, 150
_GAP: Final = 64
_WIDEST_BAR: Final = 60
_MOST_LABELS: Final = 6
_HOUR: Final = timedelta(hours=1)
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


def as_svg(figures: DeliveryFigures, title: str, subtitle: str) -> str | None:
    """Draw the picture; None if the messages went out within one hour and none has a known time of delivery."""
    parts: list[str] = []
    top = _HEAD
    if len(figures.hours) > 1:
        parts += _hours(figures.hours, top)
        top += _SHARES_HIGH + _NUMBERS_HIGH + 3 * _GAP // 2
    if figures.durations.count:
        parts += _times(figures.durations, top)
        top += _CURVE_HIGH + _GAP
    if not parts:
        return None
    head = [_text(24, 32, title, size=19, bold=True), _text(24, 54, subtitle, size=13, colour=_QUIET), *_legend()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}" '
        f'font-family="{_FONT}"><rect width="{_WIDTH}" height="{top}" fill="white"/>{"".join((*head, *parts))}</svg>'
    )


def _hours(hours: Mapping[datetime, Deliveries], top: int) -> Iterator[str]:
    """Draw the shares of each hour of sending and, below, its messages: few of them prove little."""
    first, last = min(hours), max(hours)
    width = min(_PLOT / ((last - first) / _HOUR + 1), _WIDEST_BAR)
    most = max(found.messages for found in hours.values())
    yield _text(24, top, "Delivered by hour of sending", size=14, bold=True)
    top += 14
    yield from _percentages(top, _SHARES_HIGH)
    bottom = top + _SHARES_HIGH + 26 + _NUMBERS_HIGH
    yield _text(24, top + _SHARES_HIGH + 18, "messages", size=11, colour=_QUIET)
    yield _text(_LEFT - 8, bottom - _NUMBERS_HIGH + 8, f"{most:,}", size=11, colour=_QUIET, anchor="end")
    every = max(1, -(-len(hours) // _MOST_LABELS))
    for place, (hour, found) in enumerate(hours.items()):
        x = _LEFT + (hour - first) / _HOUR * width
        low, below = float(top + _SHARES_HIGH), float(bottom)
        for state, colour in COLOURS.items():
            messages = getattr(found, state)
            high, tall = messages / found.messages * _SHARES_HIGH, messages / most * _NUMBERS_HIGH
            low, below = low - high, below - tall
            if messages:
                yield _rect(x, low, width * 0.9, high, colour)
                yield _rect(x, below, width * 0.9, tall, colour)
        if place % every == 0:
            yield _text(x, bottom + 16, f"{hour:%d %b %H:%M}", size=11, colour=_QUIET)
    yield _text(_LEFT, bottom + 34, "hour of sending, UTC", size=11, colour=_QUIET)


def _times(durations: Durations, top: int) -> Iterator[str]:
    """Draw the share of delivered messages by how long they took."""
    last = max(10, durations.seconds[-1])
    marks = [(share, words, durations.within(share) or 0) for share, words in _SHARES]
    said = ", ".join(f"{words} within {in_words(within)}" for _, words, within in marks)
    yield _text(24, top, "Delivered messages, by the time they took", size=14, bold=True)
    yield _text(24, top + 17, said, size=11, colour=_QUIET)
    top += 30
    yield from _percentages(top, _CURVE_HIGH)

    def x(seconds: float) -> float:
        return _LEFT + log10(max(1, seconds)) / log10(last) * _PLOT

    def y(share: float) -> float:
        return top + _CURVE_HIGH * (1 - share)

    # The line needs no more points than the picture has pixel columns.
    points = [f"M{x(1):.1f},{y(0):.1f}"]
    done = drawn = 0
    for seconds, messages in zip(durations.seconds, durations.messages, strict=True):
        done += messages
        if (column := round(x(seconds))) != drawn or done == durations.count:
            drawn = column
            points.append(f"H{x(seconds):.1f}V{y(done / durations.count):.1f}")
    points.append(f"H{x(last):.1f}")
    yield f'<path d="{"".join(points)}" fill="none" stroke="{COLOURS[Delivery.DELIVERED]}" stroke-width="2"/>'
    for share, _, within in marks:
        yield f'<circle cx="{x(within):.1f}" cy="{y(share):.1f}" r="3.5" fill="{_INK}"/>'
    for seconds, name in _SPANS.items():
        if seconds <= last:
            yield _text(x(seconds), top + _CURVE_HIGH + 16, name, size=11, colour=_QUIET)
    yield _text(_LEFT, top + _CURVE_HIGH + 32, "time from sending to delivery", size=11, colour=_QUIET)


def _percentages(top: int, high: int) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = top + high * (1 - share)
        yield f'<path d="M{_LEFT},{y:.1f}H{_LEFT + _PLOT}" stroke="{_GRID}"/>'
        yield _text(_LEFT - 8, y + 4, f"{share * 100:.0f} %", size=11, colour=_QUIET, anchor="end")


def _legend() -> Iterator[str]:
    x = 24
    for state, colour in COLOURS.items():
        yield _rect(x, 68, 10, 10, colour)
        yield _text(x + 16, 77, _NAMES[state], size=11)
        x += 40 + 7 * len(_NAMES[state])


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(
    x: float, y: float, said: str, *, size: int, colour: str = _INK, bold: bool = False, anchor: str = "start"
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>'
        f"{escape(said)}</text>"
    )
