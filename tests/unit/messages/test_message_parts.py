"""Part counts, compared with a counter that packs character by character and with Notify's and Twilio's tables."""

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.messages import forcing_characters, parts_of
from globe_sms.tasks.messages.gsm7_alphabet import BASIC, EXTENSION, without_look_alikes
from globe_sms.tasks.messages.message_parts import count_parts, encoding_of

MIXED = st.text(st.sampled_from("ab]€\n\x1bê深😀"), max_size=500)
GSM_PAIRS = st.text(st.sampled_from("aaaaa]"), min_size=140, max_size=700)
SURROGATES = st.text(st.sampled_from("êêê😀"), min_size=50, max_size=400)


def cases(name: str) -> Any:
    """Read the conformance cases of other products; skip the test if they aren't on this machine."""
    path = next((folder / name for folder in _folders() if (folder / name).exists()), None)
    if path is None:
        pytest.skip("the conformance cases are not here")
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return json.loads(path.read_text(encoding="utf-8"))


def _folders() -> list[Path]:
    return [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]


def packed(text: str) -> int:
    """Count parts by filling them, one character at a time."""
    gsm = all(character in BASIC + EXTENSION for character in text)
    alone, size = (160, 153) if gsm else (70, 67)
    widths = [
        (2 if character in EXTENSION else 1) if gsm else (2 if ord(character) > 0xFFFF else 1) for character in text
    ]
    if sum(widths) <= alone:
        return 1 if text else 0
    parts, room = 1, size
    for width in widths:
        if width > room:
            parts, room = parts + 1, size
        room -= width
    return parts


@given(st.lists(st.one_of(st.none(), st.text(), MIXED, GSM_PAIRS, SURROGATES), max_size=20))
def test_a_column_has_the_parts_that_packing_each_text_gives(texts: list[str | None]) -> None:
    """Independent of the other texts in the column."""
    counted = pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(count_parts(pl.col("text"))).to_series()
    assert counted.to_list() == [None if text is None else packed(text) for text in texts]
    assert counted.dtype == pl.UInt16


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("]" * 80, 1),
        ("]" * 81, 2),
        ("]" * 152, 2),
        ("]" * 153, 3),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("\x1b" + "a" * 70, 2),
    ],
)
def test_texts_around_the_part_limits_have_the_right_parts(text: str, parts: int) -> None:
    """Escape pairs and surrogate pairs are never split."""
    assert parts_of(text) == parts


def test_parts_match_notifys_except_where_its_policy_differs() -> None:
    """The cases marked as policy turn emoji into question marks."""
    found = [case for case in cases("notify_sms_fragments.json") if not case["notify_policy_dependent"]]
    assert [parts_of(case["content"]) for case in found] == [case["expected_fragments"] for case in found]
    assert [parts_of(case["content"]) for case in found] == [case["check_packed_segments"] for case in found]
    assert [encoding_of(case["content"]) for case in found] == [case["check_encoding"] for case in found]


def test_the_alphabet_matches_notifys_and_twilios() -> None:
    """Except the escape code, which Notify counts as a character, and the form feed, which it leaves out."""
    notify = cases("notify_gsm_sets.json")
    assert set(BASIC) == set(notify["gsm_basic"]) - {"\x1b"}
    assert set(EXTENSION) == {*notify["gsm_extended"], "\f"}
    for row in cases("twilio_gsm7_map.csv"):
        character = chr(int(row["codepoint"].removeprefix("U+"), 16))
        assert int(row["septets"]) == (1 if character in BASIC else 2), row
        assert character in BASIC + EXTENSION, row


def test_utf16_units_match_notifys_cases() -> None:
    """Measured with a text padded to exactly one part, and to one unit more."""
    found = [case for case in cases("notify_sms_counts.json") if case["kind"] == "utf16_units_of_raw_text"]
    assert found
    for case in found:
        filled = "ê" * (70 - case["expected_count"]) + case["content"]
        assert (parts_of(filled), parts_of("ê" + filled)) == (1, 2), case


def test_characters_that_force_ucs2_match_notifys() -> None:
    """Except emoji and the ellipsis, which Notify replaces first."""
    found = [case for case in cases("notify_sms_counts.json") if case["kind"].startswith("chars_that_force_ucs2")]
    found = [case for case in found if case["content"] not in {"🚀", "…"}]
    assert found
    for case in found:
        assert list(forcing_characters([case["content"]])) == case["expected"], case


def test_look_alikes_are_replaced_as_notify_replaces_them() -> None:
    """Quotes, dashes, blanks and the ellipsis; letters and emoji stay, so that names keep their spelling."""
    found = [case for case in cases("notify_downgrade.json") if "expected_sms" in case]
    assert found
    for case in found:
        ours = pl.select(without_look_alikes(pl.lit(case["input"]))).item()
        is_letter = any(character.isalpha() for character in case["input"] if character not in BASIC)
        if is_letter or "?" in case["expected_sms"]:
            assert ours == case["input"], case
        else:
            assert ours == case["expected_sms"], case


@given(st.text())
def test_a_downgraded_text_has_no_more_parts(text: str) -> None:
    """Except where an ellipsis becomes three characters."""
    text = text.replace("…", "")
    assert parts_of(pl.select(without_look_alikes(pl.lit(text))).item()) <= parts_of(text)
