"""Takes a number format apart: sections, conditions, literal text, and the places for digits or parts of a date."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from globe_sms.tasks.recipients.workbooks.date_formats import DateFormat, UnknownFormatError, check_language

__all__ = ["FormatSection", "UnknownFormatError", "parse_sections"]

_MOST_SECTIONS: Final = 4
_LONGEST_CODE: Final = 1_000
_TOKEN: Final = re.compile(
    r"""
    "(?P<quoted>[^"]*)" | \\(?P<escaped>.) | _(?P<pad>.) | \*(?P<fill>.)
    | \[(?P<bracket>[^\]]*)\] | (?P<ampm>AM/PM|A/P) | (?P<general>General)
    | (?P<exponent>E[+-]) | (?P<date>(?P<letter>[ymdhs])(?P=letter)*) | (?P<digit>[0\#?]) | (?P<point>\.)
    | (?P<comma>,) | (?P<percent>%) | (?P<at>@) | (?P<literal>[^A-Za-z"\\\[\]_*;])
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SECTION: Final = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[_*].|[^;])*', re.DOTALL)
_COLOR: Final = re.compile(r"(?:black|blue|cyan|green|magenta|red|white|yellow|color\s*\d+)", re.IGNORECASE)
_CONDITION: Final = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_CURRENCY: Final = re.compile(r"\$([^-]*)(?:-(.*))?", re.DOTALL)
_ELAPSED: Final = re.compile(r"h+|m+|s+", re.IGNORECASE)
_TESTS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_BLANK_PLACES: Final = {"0": "0", "?": " ", "#": ""}
_PLACES: Final = frozenset({"digit", "point", "comma"})
_RARE: Final = "its format is a rare one"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a format: what it is (a group of `_TOKEN`, or `elapsed`) and its text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class FormatSection:
    """One section of a format: for all numbers, for the positive ones, the negative ones, zero, or text."""

    parts: tuple[Part, ...]
    condition: Callable[[Decimal], bool] | None
    dates: DateFormat | None
    whole: tuple[Part, ...] = ()
    """What is before the decimal point: literal texts and digits, without the commas."""
    decimals: tuple[Part, ...] = ()
    """The digits after the decimal point."""
    point: bool = False
    grouped: bool = False
    thousands: int = 0
    """By how many thousands the number is divided."""
    percents: int = 0
    exponent_digits: int = 0
    shows_plus: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether it shows nothing."""
        return not self.parts

    @property
    def is_text(self) -> bool:
        """Whether it is for text."""
        return any(part.kind == "at" for part in self.parts)

    @property
    def is_general(self) -> bool:
        """Whether it shows the number as General does, perhaps with text around it."""
        return any(part.kind == "general" for part in self.parts)

    @property
    def is_scientific(self) -> bool:
        """Whether it shows an exponent."""
        return self.exponent_digits > 0

    @property
    def is_plain(self) -> bool:
        """Whether it shows a whole number's digits one after another, perhaps with text between them."""
        return not (self.is_text or self.is_scientific or self.grouped or self.thousands or self.percents or self.point)

    @property
    def before(self) -> str:
        """The literal text before the first digit."""
        kinds = [part.kind for part in self.parts]
        first = next((place for place, kind in enumerate(kinds) if kind in {"digit", "point"}), len(kinds))
        return "".join(part.text for part in self.parts[:first] if part.kind == "literal")

    @property
    def after(self) -> str:
        """The literal text after the first digit."""
        kinds = [part.kind for part in self.parts]
        first = next((place for place, kind in enumerate(kinds) if kind in {"digit", "point"}), len(kinds))
        return "".join(part.text for part in self.parts[first:] if part.kind == "literal")

    def around(self, shown: str) -> str:
        """Return a text with this section's literal text around it."""
        return "".join(shown if part.kind in {"general", "at"} else part.text for part in self.parts)

    def filled(self, digits: str, fraction: str) -> str:
        """Return the section with a number's digits before and after the decimal point in their places."""
        whole = _filled_whole(self.whole, digits, grouped=self.grouped)
        if not any(part.kind == "digit" for part in self.whole):
            whole += digits if self.point else ""
        if not self.point:
            return whole + "".join("%" if part.kind == "percent" else part.text for part in self._tail())
        kept = len(fraction)
        while kept and fraction[kept - 1] == "0" and self.decimals[kept - 1].text == "#":
            kept -= 1
        return f"{whole}.{fraction[:kept]}" + "".join(part.text for part in self._tail())

    def _tail(self) -> tuple[Part, ...]:
        """Return the literal texts and percent signs after the last digit."""
        last = max((place for place, part in enumerate(self.parts) if part.kind in _PLACES), default=len(self.parts))
        return tuple(part for part in self.parts[last + 1 :] if part.kind in {"literal", "percent"})


def _filled_whole(places: Sequence[Part], digits: str, *, grouped: bool) -> str:
    """Put digits into their places from the right; those that are left over go before the first place."""
    left = list(digits)
    open_places = sum(part.kind == "digit" for part in places)
    shown: list[str] = []
    count = 0
    for part in reversed(places):
        if part.kind != "digit":
            shown.append(part.text[::-1])
            continue
        open_places -= 1
        put = left[-1:] if open_places else left[::-1]
        del left[len(left) - len(put) :]
        for digit in put or _BLANK_PLACES[part.text]:
            shown.append("," if grouped and count and count % 3 == 0 and digit.isdigit() else "")
            shown.append(digit)
            count += 1
    return "".join(shown)[::-1]


def parse_sections(code: str) -> tuple[FormatSection, ...]:
    """Take a number format apart.

    Raises:
        UnknownFormatError: it has a part whose meaning isn't known here.
    """
    if len(code) > _LONGEST_CODE:
        raise UnknownFormatError(_RARE)
    texts: list[str] = []
    place = 0
    while True:
        found = _SECTION.match(code, place)
        end = place if found is None else found.end()
        texts.append(code[place:end])
        if end >= len(code):
            break
        place = end + 1
    if len(texts) > _MOST_SECTIONS:
        raise UnknownFormatError(_RARE)
    return tuple(_section(text) for text in texts)


def _section(code: str) -> FormatSection:
    parts: list[Part] = []
    condition: Callable[[Decimal], bool] | None = None
    language: str | None = None
    for part in _parts(code):
        if part.kind != "bracket":
            parts.append(part)
        elif (found := _CONDITION.fullmatch(part.text)) is not None:
            condition = _condition(_TESTS[found[1]], Decimal(found[2]))
        elif (found := _CURRENCY.fullmatch(part.text)) is not None:
            language = found[2] if found[2] is not None else language
            if found[1]:
                parts.append(Part("literal", found[1]))
        elif _ELAPSED.fullmatch(part.text):
            parts.append(Part("elapsed", part.text.casefold()))
        elif not _COLOR.fullmatch(part.text):
            raise UnknownFormatError(_RARE)
    if any(part.kind in {"date", "elapsed", "ampm"} for part in parts):
        check_language(language, [part.text for part in parts if part.kind in {"date", "ampm"}])
        dates = DateFormat.of([(part.kind, part.text) for part in parts])
        return FormatSection(tuple(parts), condition, dates)
    return _number_section(tuple(parts), condition)


def _condition(test: Callable[[Decimal, Decimal], bool], bound: Decimal) -> Callable[[Decimal], bool]:
    return lambda value: test(value, bound)


def _parts(code: str) -> list[Part]:
    parts: list[Part] = []
    place = 0
    while place < len(code):
        found = _TOKEN.match(code, place)
        if found is None:
            raise UnknownFormatError(_RARE)
        place = found.end()
        kind = "date" if found["date"] else str(found.lastgroup)
        text = str(found[kind])
        if kind in {"quoted", "escaped"}:
            parts.append(Part("literal", text))
        elif kind == "pad":
            parts.append(Part("literal", " "))
        elif kind != "fill":
            parts.append(Part(kind, text))
    return parts


def _number_section(parts: tuple[Part, ...], condition: Callable[[Decimal], bool] | None) -> FormatSection:
    kinds = [part.kind for part in parts]
    has_digits = "digit" in kinds
    if has_digits and any(part == Part("literal", "/") for part in parts):
        raise UnknownFormatError("its format is a fraction")
    if kinds.count("point") > 1 or kinds.count("exponent") > 1:
        raise UnknownFormatError(_RARE)
    end = kinds.index("exponent") if "exponent" in kinds else len(parts)
    point = kinds.index("point") if "point" in kinds[:end] else end
    last = max((place for place in range(point) if kinds[place] == "digit"), default=-1)
    last_decimal = max((place for place in range(point, end) if kinds[place] == "digit"), default=point)
    if any(kind != "digit" for kind in kinds[point + 1 : last_decimal]):  # text between the decimals
        raise UnknownFormatError(_RARE)
    whole = parts[: point if point < end else last + 1] if has_digits else parts
    commas = [place for place in range(end) if kinds[place] == "comma"]
    exponent = parts[end:]
    return FormatSection(
        parts,
        condition,
        dates=None,
        whole=tuple(part for part in whole if part.kind in {"digit", "literal", "percent"}),
        decimals=tuple(part for part in parts[point:end] if part.kind == "digit"),
        point=point < end,
        grouped=any(place < last for place in commas),
        thousands=sum(place > last for place in commas) if has_digits else 0,
        percents=kinds.count("percent"),
        exponent_digits=sum(part.kind == "digit" for part in exponent),
        shows_plus=bool(exponent) and exponent[0].text.endswith("+"),
    )
