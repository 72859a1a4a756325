"""libphonenumber's parsing and validation for numbers whose last digits aren't known yet.

Each function follows its counterpart in `phonenumbers.phonenumberutil`, for text that is already digits. Its result is
true for every completion of the unknown digits; SplitError asks for one more digit.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import phonenumbers

from globe_sms.tasks.numbers.libphonenumber import Verdict, verdict_of_unlisted, verdict_of_valid
from globe_sms.tasks.numbers.metadata_patterns import Digits
from globe_sms.tasks.numbers.pattern_automaton import Automaton, AutomatonQuery, Runs
from globe_sms.tasks.numbers.region_metadata import GENERAL, LEADING, Kind, Length, RegionRules
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

_SHORTEST_NATIONAL: Final = 2
_LONGEST_NATIONAL: Final = 17
_LONGEST_CODE: Final = 3
_LENGTHS: Final = 40  # more than any rule can give for a table's longest number

_Tag = tuple[int, str]  # the region's index in the country code, the name of its pattern


class Reread(Enum):
    """The mode in which the digits must be read again."""

    INTERNATIONAL = auto()  # digits after an international prefix: as if after a plus sign
    WITHOUT_PLUS = auto()  # no country code follows the plus sign: by the rules of the default region
    STRIPPED = auto()  # E.164 digits without a national prefix: for the verdict only


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An invalid number of possible length: `not_valid_for_region`, or `if_mobile` if an override says mobile."""

    if_mobile: Verdict


Entry = Verdict | Unlisted | Reread


@dataclass(frozen=True, slots=True)
class Reading:
    """The verdicts of all completions of some digits, in runs, and their number.

    `runs` are (first completion, verdict without its number), from 0 on; `number` is the E.164 digits, or the digits
    to read again. Its length differs from that of the digits only at its known start.
    """

    runs: Runs[Entry]
    number: Digits | None = None


def invalid_reading(reason: RowReason) -> Reading:
    """Return the reading of digits that aren't a valid number."""
    return Reading(((0, Verdict(status=Status.INVALID, reason=reason)),))


def reread(way: Reread, number: Digits | None) -> Reading:
    """Return the reading of digits that must be read again, as `number`."""
    return Reading(((0, way),), number)


class Numbering:
    """The numbers of one country code, which several regions may share; the first region is the main one."""

    def __init__(self, country_code: int) -> None:
        """Read the installed metadata; PatternError if it uses an unknown construct."""
        self.code = country_code
        self.rules = [
            RegionRules(country_code, region) for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[country_code]
        ]
        automaton = Automaton[_Tag](
            ((index, name), node, name == LEADING)
            for index, rules in enumerate(self.rules)
            for name, node in rules.patterns.items()
        )
        self._generals = [
            AutomatonQuery(automaton, lambda tags, tag=(index, GENERAL): tag in tags)
            for index in range(len(self.rules))
        ]
        self._verdicts = {
            length: AutomatonQuery[_Tag, Entry](automaton, lambda tags, length=length: self._verdict(tags, length))
            for length in range(_SHORTEST_NATIONAL, _LONGEST_NATIONAL + 1)
            if any(rules.has_numbers_of(length) for rules in self.rules)
        }
        self._fate_of_length = [self._of_length(length) for length in range(_LENGTHS)]

    @property
    def longest(self) -> int:
        """The most digits of a valid national number."""
        return max(self._verdicts)

    def national(self, index: int, digits: Digits) -> Reading:
        """Read digits, including a national prefix, by one region's rules (the second half of `parse`)."""
        rules = self.rules[index]
        if digits.length < _SHORTEST_NATIONAL:
            return invalid_reading(RowReason.TOO_SHORT)
        shortest = max(digits.length - rules.shortens, 0)
        fates = set(self._fate_of_length[shortest : digits.length + rules.lengthens + 1])
        if len(fates) == 1 and all(isinstance(fate, Verdict) for fate in fates):
            return self.stripped(digits)  # the prefix makes no difference
        stripped = rules.after_national_prefix(digits)
        if stripped == digits or rules.fits(stripped.length) not in (Length.POSSIBLE, Length.TOO_LONG):
            return self.stripped(digits)
        if self._loses_plausibility(index, digits, stripped):
            return self.stripped(digits)
        reading = self.stripped(stripped)
        # There are many carrier codes, each followed by all numbers of the country: compile those once, not per
        # carrier.
        return reading if len(reading.runs) == 1 else reread(Reread.STRIPPED, self._e164(stripped))

    def without_prefix(self, index: int, digits: Digits) -> Digits:
        """Strip the national prefix, unless that makes a plausible number implausible."""
        stripped = self.rules[index].after_national_prefix(digits)
        return digits if stripped == digits or self._loses_plausibility(index, digits, stripped) else stripped

    def is_general(self, index: int, digits: Digits) -> bool:
        """Whether the general pattern of a region matches."""
        return self._generals[index].of(digits)

    def stripped(self, digits: Digits) -> Reading:
        """Validate a national number with nothing left to strip."""
        verdict = self._fate_of_length[digits.length]
        if verdict is not None:
            return Reading(((0, verdict),), self._e164(digits))
        return Reading(self._verdicts[digits.length].runs(digits), self._e164(digits))

    def _loses_plausibility(self, index: int, digits: Digits, stripped: Digits) -> bool:
        """Whether stripping the prefix makes a plausible number implausible."""
        before, after = (self._generals[index].runs(number) for number in (digits, stripped))
        if all(plausible for _, plausible in after) or not any(plausible for _, plausible in before):
            return False
        return self.is_general(index, digits) and not self.is_general(index, stripped)

    def _of_length(self, length: int) -> Entry | None:
        """Return the verdict of all numbers of a length; None if it depends on their digits."""
        if length < _SHORTEST_NATIONAL:
            return Verdict(status=Status.INVALID, reason=RowReason.TOO_SHORT)
        if length > _LONGEST_NATIONAL:
            return Verdict(status=Status.INVALID, reason=RowReason.TOO_LONG)
        return None if length in self._verdicts else self._verdict(frozenset(), length)

    def _e164(self, digits: Digits) -> Digits:
        return digits.after(0, str(self.code))

    def _verdict(self, tags: frozenset[_Tag], length: int) -> Entry:
        region = None
        for index, rules in enumerate(self.rules):
            matched = {name for at, name in tags if at == index}
            kind = rules.kind(matched, length)
            if len(self.rules) == 1 or (LEADING in matched if rules.has_leading_digits else kind):
                region = rules.region
                if kind is not None:
                    return verdict_of_valid(self.code, region, receives_texts=kind is Kind.RECEIVES_TEXTS)
                break
        fit = self.rules[0].fits(length)
        if fit is Length.POSSIBLE:
            if_mobile = verdict_of_unlisted(self.code, region)
            if if_mobile.status is None:
                return Unlisted(if_mobile)
        reasons = {Length.TOO_SHORT: RowReason.TOO_SHORT, Length.TOO_LONG: RowReason.TOO_LONG}
        return Verdict(status=Status.INVALID, reason=reasons.get(fit, RowReason.NOT_VALID_FOR_REGION))


def read_international(digits: Digits, numberings: Mapping[int, Numbering]) -> Reading:
    """Read digits that follow a plus sign: country code first."""
    code = _country_code(digits, numberings)
    if code is None:
        return reread(Reread.WITHOUT_PLUS, digits)
    return numberings[code].national(0, digits.after(len(str(code))))


def read_stripped(digits: Digits, numberings: Mapping[int, Numbering]) -> Reading:
    """Read E.164 digits with nothing left to strip."""
    code = _country_code(digits, numberings)
    if code is None:
        return invalid_reading(RowReason.INVALID_COUNTRY_CODE)
    return numberings[code].stripped(digits.after(len(str(code))))


def _country_code(digits: Digits, numberings: Container[int]) -> int | None:
    for length in range(1, min(digits.length, _LONGEST_CODE) + 1):
        code = digits.first(length)
        if not code.startswith("0") and int(code) in numberings:
            return int(code)
    return None


class DefaultRegion:
    """Reads digits without a plus sign by the rules of a default region."""

    def __init__(self, region: str) -> None:
        """Read the installed metadata; PatternError if it uses an unknown construct."""
        self._numbering = Numbering(phonenumbers.country_code_for_region(region))
        self._index = [rules.region for rules in self._numbering.rules].index(region)
        self._rules = self._numbering.rules[self._index]

    def read(self, digits: Digits) -> Reading:
        """Read digits written without a plus sign."""
        return self._behind_prefix(digits) or self._behind_code(digits) or self._by_region(digits)

    def read_after_failed_plus(self, digits: Digits) -> Reading:
        """Read digits after a plus sign that don't start with any country code, including the region's own."""
        if _country_code(digits, phonenumbers.COUNTRY_CODE_TO_REGION_CODE) is not None:
            return invalid_reading(RowReason.INVALID_COUNTRY_CODE)  # never looked up
        return self._behind_prefix(digits) or invalid_reading(RowReason.INVALID_COUNTRY_CODE)

    def _by_region(self, digits: Digits) -> Reading:
        """Read digits by the region's own rules; the verdicts are in the table that all regions share."""
        reading = self._numbering.national(self._index, digits)
        return reading if len(reading.runs) == 1 else reread(Reread.STRIPPED, reading.number)

    def _behind_prefix(self, digits: Digits) -> Reading | None:
        international = self._rules.after_international_prefix(digits)
        if international is None:
            return None
        if international.length <= _SHORTEST_NATIONAL:
            return invalid_reading(RowReason.TOO_SHORT)
        return reread(Reread.INTERNATIONAL, international)

    def _behind_code(self, digits: Digits) -> Reading | None:
        """Read digits after the region's code, if that is the better reading (`_maybe_extract_country_code`)."""
        code = str(self._numbering.code)
        if not digits.starts_with(code):
            return None
        rest = self._numbering.without_prefix(self._index, digits.after(len(code)))
        if self._rules.fits(digits.length) is Length.TOO_LONG or (
            not self._numbering.is_general(self._index, digits) and self._numbering.is_general(self._index, rest)
        ):
            if rest.length < _SHORTEST_NATIONAL:
                return invalid_reading(RowReason.TOO_SHORT)
            return reread(Reread.INTERNATIONAL, rest.after(0, code))
        return None


class NoRegion:
    """Reads digits without a plus sign and default region as if after a plus sign, dropping a leading `00`."""

    def read(self, digits: Digits) -> Reading:
        """Read digits written without a plus sign."""
        rest = digits.after(2) if digits.starts_with("00") else digits
        if rest.length <= _SHORTEST_NATIONAL:
            return invalid_reading(RowReason.NOT_A_NUMBER)
        return reread(Reread.INTERNATIONAL, rest)

    def read_after_failed_plus(self, _: Digits) -> Reading:
        """Refuse digits with a plus sign but without a country code."""
        return invalid_reading(RowReason.INVALID_COUNTRY_CODE)
