"""Patterns matched against partly known numbers: each answer is true for every completion."""

import random
import re

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata

from globe_sms.tasks.numbers.metadata_patterns import Digits, PatternError, SplitError, StartPattern, parse_pattern
from globe_sms.tasks.numbers.pattern_automaton import Automaton, AutomatonQuery, split_into_prefixes


def metadata_patterns(*names: str) -> list[str]:
    """Collect the patterns of every region and of country codes without a region."""
    found: set[str] = set()
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            for name in names:
                value = getattr(metadata, name)
                found.add(getattr(value, "national_number_pattern", value) or "")
    return sorted(found - {""})


def completions(chance: random.Random, digits: Digits) -> list[str]:
    """Return some completions of the digits: the first, the last and others."""
    others = ["".join(chance.choices("0123456789", k=digits.unknown)) for _ in range(4)]
    return [digits.known + tail for tail in ("0" * digits.unknown, "9" * digits.unknown, *others)]


def likely_digits(chance: random.Random, pattern: str, length: int) -> Digits:
    """Return digits whose known part comes from the pattern's own text, so that matches are frequent."""
    literals = re.sub(r"\D", "", pattern) or "0"
    known = "".join(
        literals[start : start + chance.randint(1, 4)]
        for start in (chance.randrange(len(literals)) for _ in range(chance.randint(0, 4)))
    )
    return Digits(known[:length], length)


@pytest.mark.parametrize("pattern", metadata_patterns("international_prefix", "national_prefix_for_parsing"))
def test_a_start_pattern_matches_as_re_does(pattern: str) -> None:
    """For every completion, the match's end and groups equal those of Python's `re`."""
    chance = random.Random(1)
    compiled = re.compile(pattern)
    start = StartPattern(pattern)
    answered = 0
    for _ in range(1_000):
        digits = likely_digits(chance, pattern, chance.randint(0, 18))
        try:
            found = start.match(digits)
        except SplitError:
            assert digits.unknown
            continue
        answered += 1
        for number in completions(chance, digits):
            expected = compiled.match(number)
            if found is None or expected is None:
                assert found is expected is None, (number, found)
                continue
            spans = [found[1].get(group, (-1, -1)) for group in range(1, compiled.groups + 1)]
            assert (found[0], spans) == (
                expected.end(),
                [expected.span(group) for group in range(1, compiled.groups + 1)],
            )
    assert answered > 100


def test_an_automaton_matches_as_re_does() -> None:
    """For complete numbers and for prefixes, all patterns together give the same answers as `re` one by one."""
    chance = random.Random(2)
    patterns = metadata_patterns("general_desc", "fixed_line", "mobile", "toll_free", "leading_digits")
    for number in range(0, len(patterns), 40):
        some = patterns[number : number + 40]
        automaton = Automaton(
            ((pattern, prefix_only), parse_pattern(pattern)[0], prefix_only)
            for pattern in some
            for prefix_only in (False, True)
        )
        for pattern in some:
            compiled = re.compile(pattern)
            fate = AutomatonQuery(
                automaton, lambda tags, pattern=pattern: ((pattern, False) in tags, (pattern, True) in tags)
            )
            for _ in range(3):
                digits = likely_digits(chance, pattern, chance.randint(1, 12))
                runs = fate.runs(digits)
                for whole in completions(chance, digits):
                    tail = int(whole[len(digits.known) :] or 0)
                    answer = [run for start, run in runs if start <= tail][-1]
                    assert answer == (bool(compiled.fullmatch(whole)), bool(compiled.match(whole)))


@pytest.mark.parametrize(
    "pattern", ["(?!0)1", "1+", "1*", "[^1]", "a", "1{2,}", "(1", "1)", "[12", "1??", "^1", "\\D", "\uff11"]
)
def test_an_unknown_construct_is_refused(pattern: str) -> None:
    """No table is better than a wrong one."""
    with pytest.raises(PatternError):
        parse_pattern(pattern)


def test_prefixes_cover_all_numbers_of_a_length_in_order() -> None:
    """Every number of the length has one prefix, and the prefixes ascend."""

    def decide(digits: Digits) -> bool:
        return digits.starts_with("42") or digits.starts_with("7")

    found = list(split_into_prefixes(4, decide))
    assert sum(10**digits.unknown for digits, _ in found) == 10**4
    assert [digits.known for digits, _ in found] == sorted(digits.known for digits, _ in found)
    assert [digits.known for digits, answer in found if answer] == ["42", "7"]
