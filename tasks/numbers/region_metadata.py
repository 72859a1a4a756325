"""libphonenumber's metadata of one region, with parsed patterns."""

import re
from enum import Enum, auto
from typing import Final

from phonenumbers import PhoneMetadata, PhoneNumberDesc

from globe_sms.tasks.numbers.metadata_patterns import Digits, Node, PatternError, Spans, StartPattern, parse_pattern

GENERAL: Final = "general_desc"
LEADING: Final = "leading_digits"
_FIXED_LINE: Final = "fixed_line"
_MOBILE: Final = "mobile"
# Types that can't receive texts, in libphonenumber's order; all are checked before fixed lines and mobiles.
_OTHERS: Final = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
_GROUP_IN_RULE: Final = re.compile(r"(\\[1-9])")


class Length(Enum):
    """How a number's length fits its region (libphonenumber's `ValidationResult`)."""

    POSSIBLE = auto()
    LOCAL_ONLY = auto()
    TOO_SHORT = auto()
    TOO_LONG = auto()
    INVALID = auto()


class Kind(Enum):
    """Whether a valid number can receive texts (libphonenumber's `PhoneNumberType`, reduced to two)."""

    RECEIVES_TEXTS = auto()
    OTHER = auto()


class RegionRules:
    """The rules of one region, or of a country code without a region."""

    def __init__(self, country_code: int, region: str) -> None:
        """Read the installed metadata; PatternError if it uses an unknown construct."""
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
        if metadata is None or metadata.general_desc is None:
            raise PatternError(f"no metadata for the region {region} of +{country_code}")
        self.region = region
        self.has_leading_digits = metadata.leading_digits is not None
        self.patterns: dict[str, Node] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}
        for name in (GENERAL, *_OTHERS, _FIXED_LINE, _MOBILE):
            kind: PhoneNumberDesc | None = getattr(metadata, name)
            if kind is not None and kind.national_number_pattern:
                self.patterns[name] = parse_pattern(kind.national_number_pattern)[0]
                self._lengths[name] = tuple(kind.possible_length)
        if metadata.leading_digits is not None:
            self.patterns[LEADING] = parse_pattern(metadata.leading_digits)[0]
        self._possible = tuple(metadata.general_desc.possible_length)
        self._local_only = tuple(metadata.general_desc.possible_length_local_only)
        self._same_pattern = bool(metadata.same_mobile_and_fixed_line_pattern)
        self._international = _optional(metadata.international_prefix)
        self._prefix = _optional(metadata.national_prefix_for_parsing or None)
        self._transform = metadata.national_prefix_transform_rule or ""
        if self._prefix and self._transform and not self._prefix.groups:
            raise PatternError(f"a transform rule without a group, in {region}")
        # The most digits by which the national prefix rule can shorten or lengthen a number.
        kept = self._prefix.groups if self._prefix and f"\\{self._prefix.groups}" in self._transform else 0
        self.shortens = self._prefix.removes(kept_group=kept) if self._prefix else 0
        self.lengthens = len(_GROUP_IN_RULE.sub("", self._transform))

    def fits(self, length: int) -> Length:
        """Compare a national number's length with the region's lengths (`_test_number_length`)."""
        if length in self._local_only:
            return Length.LOCAL_ONLY
        if length < self._possible[0]:
            return Length.TOO_SHORT
        if length > self._possible[-1]:
            return Length.TOO_LONG
        return Length.POSSIBLE if length in self._possible else Length.INVALID

    def kind(self, matched: set[str], length: int) -> Kind | None:
        """Return the kind of a number that matches these patterns, None if invalid (`_number_type_helper`)."""
        named = {name for name in matched if not self._lengths.get(name) or length in self._lengths[name]}
        if GENERAL not in named:
            return None
        if not named.isdisjoint(_OTHERS):
            return Kind.OTHER
        if _FIXED_LINE in named:
            return Kind.RECEIVES_TEXTS if self._same_pattern or _MOBILE in named else Kind.OTHER
        return Kind.RECEIVES_TEXTS if _MOBILE in named and not self._same_pattern else None

    def has_numbers_of(self, length: int) -> bool:
        """Whether any number of this length can be valid."""
        return self.kind(set(self.patterns), length) is not None

    def after_international_prefix(self, digits: Digits) -> Digits | None:
        """Strip the prefix dialed before a country code; None if there is none (`_parse_prefix_as_idd`)."""
        found = self._international.match(digits) if self._international else None
        if found is None:
            return None
        rest = digits.after(found[0])
        return None if rest.starts_with("0") else rest

    def after_national_prefix(self, digits: Digits) -> Digits:
        """Strip the national prefix and carrier code, or transform the number by the region's rule.

        The caller decides whether to use the result (`_maybe_strip_national_prefix_carrier_code`).
        """
        found = self._prefix.match(digits) if self._prefix and digits.length else None
        if self._prefix is None or found is None:
            return digits
        end, spans = found
        if not self._transform:
            return digits.after(end)
        return self._transformed(digits, end, spans) if self._prefix.groups in spans else digits.after(end)

    def _transformed(self, digits: Digits, end: int, spans: Spans) -> Digits:
        text = ""
        for part in _GROUP_IN_RULE.split(self._transform):
            if not part.startswith("\\"):
                text += part
                continue
            start, stop = spans.get(int(part[1]), (end, end))
            if stop > len(digits.known):
                # The group extends into the unknown digits, so it must come last on both sides.
                if stop != end or not self._transform.endswith(part):
                    raise PatternError(f"an unknown transform rule: {self._transform!r}")
                return digits.after(start, text)
            text += digits.known[start:stop]
        if not text.isdecimal():
            raise PatternError(f"an unknown transform rule: {self._transform!r}")
        return digits.after(end, text)


def _optional(pattern: str | None) -> StartPattern | None:
    return None if pattern is None else StartPattern(pattern)
