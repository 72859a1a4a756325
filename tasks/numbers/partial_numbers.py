"""libphonenumber's parsing and validation, run on digits of which the last ones are not known yet.

Each function follows the one of the same task in `phonenumbers.phonenumberutil`, for text that is already digits.
What it returns holds for every completion of the unknown digits; SplitError asks for one more digit.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import phonenumbers

from globe_sms.tasks.numbers.libphonenumber import Verdict, verdict_of_unlisted, verdict_of_valid
from globe_sms.tasks.numbers.metadata_patterns import Digits
from globe_sms.tasks.numbers.pattern_automaton import Automaton, Fate, Runs
from globe_sms.tasks.numbers.region_metadata import GENERAL, LEADING, Kind, Length, RegionRules
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import Status

_SHORTEST_NATIONAL: Final = 2
_LONGEST_NATIONAL: Final = 17
_LONGEST_CODE: Final = 3
_LENGTHS: Final = 40  # more than any rule can make of the longest number of a table

_Tag = tuple[int, str]  # which region of the country code, which of its patterns


class Again(Enum):
    """The digits must be read once more, in another way."""

    INTERNATIONAL = auto()  # what follows an international prefix, as if after a plus sign
    WITHOUT_PLUS = auto()  # no country code follows the plus sign: by the rules of the default region
    STRIPPED = auto()  # E.164 digits whose national prefix is gone: for the verdict only


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A number of possible length that is not valid: `not_valid_for_region`, unless an override says otherwise."""

    if_mobile: Verdict


Entry = Verdict | Unlisted | Again


@dataclass(frozen=True, slots=True)
class Reading:
    """The verdicts of all completions of some digits, in runs, and where the number stands in them.

    `runs` are (first completion, verdict without its number), from 0 on; `number` is the E.164 digits, or those that
    must be read again. It is longer or shorter than the digits only at its known start.
    """

    runs: Runs[Entry]
    number: Digits | None = None


def refused(reason: RowReason) -> Reading:
    """Return the reading of digits that are no valid number."""
    return Reading(((0, Verdict(status=Status.INVALID, reason=reason)),))


def again(way: Again, number: Digits | None) -> Reading:
    """Return the reading of digits that must be read once more, as `number`."""
    return Reading(((0, way),), number)


class Numbering:
    """The numbers of one country code, which several regions may share; the first is the main one."""

    def __init__(self, country_code: int) -> None:
        """Read the installed metadata; PatternError where it has become something new."""
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
            Fate(automaton, lambda tags, tag=(index, GENERAL): tag in tags) for index in range(len(self.rules))
        ]
        self._verdicts = {
            length: Fate[_Tag, Entry](automaton, lambda tags, length=length: self._verdict(tags, length))
            for length in range(_SHORTEST_NATIONAL, _LONGEST_NATIONAL + 1)
            if any(rules.has_numbers_of(length) for rules in self.rules)
        }
        self._fate_of_length = [self._of_length(length) for length in range(_LENGTHS)]

    @property
    def longest(self) -> int:
        """How many digits a valid national number has at most."""
        return max(self._verdicts)

    def national(self, index: int, digits: Digits) -> Reading:
        """Read digits by the rules of one region, the national prefix included (the second half of `parse`)."""
        rules = self.rules[index]
        if digits.length < _SHORTEST_NATIONAL:
            return refused(RowReason.TOO_SHORT)
        shortest = max(digits.length - rules.shortens, 0)
        fates = set(self._fate_of_length[shortest : digits.length + rules.lengthens + 1])
        if len(fates) == 1 and all(isinstance(fate, Verdict) for fate in fates):
            return self.stripped(digits)  # the prefix makes no difference
        stripped = rules.after_national_prefix(digits)
        if stripped == digits or rules.fits(stripped.length) not in (Length.POSSIBLE, Length.TOO_LONG):
            return self.stripped(digits)
        if self._is_spoilt(index, digits, stripped):
            return self.stripped(digits)
        reading = self.stripped(stripped)
        # Carrier codes are many, and behind each of them stand all numbers of the country: those are told apart
        # once, and not for each carrier.
        return reading if len(reading.runs) == 1 else again(Again.STRIPPED, self._e164(stripped))

    def without_prefix(self, index: int, digits: Digits) -> Digits:
        """Strip the national prefix, unless that makes a plausible number implausible."""
        stripped = self.rules[index].after_national_prefix(digits)
        return digits if stripped == digits or self._is_spoilt(index, digits, stripped) else stripped

    def is_general(self, index: int, digits: Digits) -> bool:
        """Whether the general pattern of a region matches."""
        return self._generals[index].of(digits)

    def stripped(self, digits: Digits) -> Reading:
        """Judge a national number from which nothing more is to be stripped."""
        verdict = self._fate_of_length[digits.length]
        if verdict is not None:
            return Reading(((0, verdict),), self._e164(digits))
        return Reading(self._verdicts[digits.length].runs(digits), self._e164(digits))

    def _is_spoilt(self, index: int, digits: Digits, stripped: Digits) -> bool:
        """Whether the number was plausible before its prefix was stripped and is not any more."""
        before, after = (self._generals[index].runs(number) for number in (digits, stripped))
        if all(plausible for _, plausible in after) or not any(plausible for _, plausible in before):
            return False
        return self.is_general(index, digits) and not self.is_general(index, stripped)

    def _of_length(self, length: int) -> Entry | None:
        """Return the verdict of all numbers of a length, None where it depends on their digits."""
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
        return again(Again.WITHOUT_PLUS, digits)
    return numberings[code].national(0, digits.after(len(str(code))))


def read_stripped(digits: Digits, numberings: Mapping[int, Numbering]) -> Reading:
    """Read E.164 digits from which nothing is to be stripped."""
    code = _country_code(digits, numberings)
    if code is None:
        return refused(RowReason.INVALID_COUNTRY_CODE)
    return numberings[code].stripped(digits.after(len(str(code))))


def _country_code(digits: Digits, numberings: Container[int]) -> int | None:
    for length in range(1, min(digits.length, _LONGEST_CODE) + 1):
        code = digits.first(length)
        if not code.startswith("0") and int(code) in numberings:
            return int(code)
    return None


class DefaultRegion:
    """Digits without a plus sign, by the rules of a default region."""

    def __init__(self, region: str) -> None:
        """Read the installed metadata; PatternError where it has become something new."""
        self._numbering = Numbering(phonenumbers.country_code_for_region(region))
        self._index = [rules.region for rules in self._numbering.rules].index(region)
        self._rules = self._numbering.rules[self._index]

    def read(self, digits: Digits) -> Reading:
        """Read digits that were written without a plus sign."""
        return self._behind_prefix(digits) or self._behind_code(digits) or self._by_region(digits)

    def read_after_failed_plus(self, digits: Digits) -> Reading:
        """Read digits that had a plus sign and begin with no country code, the region's own included."""
        if _country_code(digits, phonenumbers.COUNTRY_CODE_TO_REGION_CODE) is not None:
            return refused(RowReason.INVALID_COUNTRY_CODE)  # never asked for
        return self._behind_prefix(digits) or refused(RowReason.INVALID_COUNTRY_CODE)

    def _by_region(self, digits: Digits) -> Reading:
        """Read digits by the region's own rules; the verdicts stand in the table that all regions share."""
        reading = self._numbering.national(self._index, digits)
        return reading if len(reading.runs) == 1 else again(Again.STRIPPED, reading.number)

    def _behind_prefix(self, digits: Digits) -> Reading | None:
        international = self._rules.after_international_prefix(digits)
        if international is None:
            return None
        if international.length <= _SHORTEST_NATIONAL:
            return refused(RowReason.TOO_SHORT)
        return again(Again.INTERNATIONAL, international)

    def _behind_code(self, digits: Digits) -> Reading | None:
        """Read digits after the region's code, where that is the better reading (`_maybe_extract_country_code`)."""
        code = str(self._numbering.code)
        if not digits.starts_with(code):
            return None
        rest = self._numbering.without_prefix(self._index, digits.after(len(code)))
        if self._rules.fits(digits.length) is Length.TOO_LONG or (
            not self._numbering.is_general(self._index, digits) and self._numbering.is_general(self._index, rest)
        ):
            if rest.length < _SHORTEST_NATIONAL:
                return refused(RowReason.TOO_SHORT)
            return again(Again.INTERNATIONAL, rest.after(0, code))
        return None


class NoRegion:
    """Digits without a plus sign and without a default region: as if with a plus sign, after a leading `00`."""

    def read(self, digits: Digits) -> Reading:
        """Read digits that were written without a plus sign."""
        rest = digits.after(2) if digits.starts_with("00") else digits
        if rest.length <= _SHORTEST_NATIONAL:
            return refused(RowReason.NOT_A_NUMBER)
        return again(Again.INTERNATIONAL, rest)

    def read_after_failed_plus(self, _: Digits) -> Reading:
        """Refuse digits that had a plus sign but no country code."""
        return refused(RowReason.INVALID_COUNTRY_CODE)
