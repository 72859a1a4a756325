"""The preview's sentence on the characters that `downgrade` replaced."""

from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.messages import PREFIX, TEXT_COLUMNS, add_texts
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.reports.make_preview import make_preview
from globe_sms.tasks.reports.page_as_html import as_html
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page, question_page
from globe_sms.tasks.reports.replaced_characters import ReplacedCharacters

FIXED = "\u201cHi\u201d \u2013 it\u2019s Zo\u00eb\u2019s\u00a0day"
BY_ROW = {"message": None, "message_column": "text"}
SENTENCE = "Plain characters replace these"


def preview_of(folder: Path, values: list[str], **changes: object) -> Preview:
    """Plan a row for each value of the list's column `text`, and one that can't be texted; preview a first run."""
    options = {"recipients": "list.csv", "message": FIXED, "type": "NOTIFY", "results": "out"} | changes
    config = CampaignConfig.checked(**options)
    numbers = [*(str(6581234560 + place) for place in range(len(values))), "n/a"]
    rows = pl.LazyFrame(
        {
            "source": ["list.csv"] * len(numbers),
            "row": range(len(numbers)),
            "recipient": numbers,
            f"{PREFIX}text": [*values, "\u2026"],
        },
        schema_overrides={"row": pl.UInt64},
    )
    rows = validate(rows, default_region=None)
    by_row = config.wording.text is None
    texts = TEXT_COLUMNS if by_row else ()
    if by_row:
        rows = add_texts(rows, config.wording)
    plan = FrozenPlan(plan_rows(rows, config.numbers_per_call, "s", folder, texts=texts))
    return make_preview(
        plan,
        config,
        campaign="camp",
        lists=("list.csv",),
        numbers=len(values),
        calls=plan.chunk_count(),
        resent_chunks=0,
    )


def test_one_text_for_all_counts_once_for_each_number(tmp_path: Path) -> None:
    """Each character once, the most frequent first; a blank by its code point alone, letters are kept."""
    replaced = preview_of(tmp_path, ["", "", ""]).replaced
    assert replaced == ReplacedCharacters(3, ("\u2019", "\u201c", "\u201d", "\u2013", "\u00a0"))
    shown = "\u2019 (U+2019) \u201c (U+201C) \u201d (U+201D) \u2013 (U+2013) U+00A0"
    assert replaced is not None
    assert replaced.sentence() == f"{SENTENCE} in 3 texts: {shown}."


@pytest.mark.parametrize("options", [BY_ROW, {"message": "Dear {text}"}])
def test_texts_of_their_own_are_counted_where_one_was_changed(tmp_path: Path, options: dict[str, object]) -> None:
    """By the number of texts a character is in; a row that gets no text doesn't count."""
    replaced = preview_of(tmp_path, ["It\u2019s \u2019", "plain", "It\u2019s\u2014on"], **options).replaced
    assert replaced == ReplacedCharacters(2, ("\u2019", "\u2014"))
    assert replaced is not None
    assert replaced.sentence() == f"{SENTENCE} in 2 texts: \u2019 (U+2019) \u2014 (U+2014)."


@pytest.mark.parametrize(
    "options", [{}, BY_ROW, {"message": "Dear \u201c{text}\u201d"}], ids=["message", "column", "template"]
)
@pytest.mark.parametrize("page", [preview_page, question_page])
def test_the_preview_and_the_question_say_it(tmp_path: Path, options: dict[str, object], page: object) -> None:
    """In Markdown and in HTML, with the singular of one text."""
    preview = preview_of(tmp_path, ["\u201cHi\u201d"], **options)
    assert preview.replaced is not None
    for show in (as_markdown, as_html):
        shown = show(page(preview))  # type: ignore[operator]
        assert f"{SENTENCE} in 1 text: " in shown
        assert "U+201C" in shown.replace("\\", "")


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (["Hi", "Zo\u00eb"], BY_ROW),
        (["Hi"], {"message": "It's 9 o'clock \U0001f642"}),
        (["Hi"], {"message": "Dear {text}"}),
        ([], {}),
    ],
    ids=["column", "message", "template", "nothing to send"],
)
def test_it_says_nothing_where_nothing_was_replaced(
    tmp_path: Path, values: list[str], options: dict[str, object]
) -> None:
    """Characters that are no look-alikes stay."""
    preview = preview_of(tmp_path, values, **options)
    assert preview.replaced is None
    assert SENTENCE not in as_markdown(preview_page(preview))


@pytest.mark.parametrize("options", [{}, BY_ROW, {"message": "\u201c{text}\u201d"}])
def test_without_downgrading_nothing_is_replaced(tmp_path: Path, options: dict[str, object]) -> None:
    """The text goes out as it is written, in UCS-2."""
    preview = preview_of(tmp_path, ["\u201cHi\u201d"], downgrade=False, **options)
    assert preview.replaced is None
    assert SENTENCE not in as_markdown(preview_page(preview))
    assert preview.ucs2 is not None


def test_ten_characters_are_named_at_most(tmp_path: Path) -> None:
    """The most frequent ones; the count is that of all texts."""
    odd = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2013\u2014\u2015\u2026"
    replaced = preview_of(tmp_path, [odd, odd, "\u2026", "\u2015"], **BY_ROW).replaced
    assert replaced is not None
    assert (replaced.texts, len(replaced.characters)) == (4, 10)
    assert set(replaced.characters[:2]) == {"\u2026", "\u2015"}
    assert len(preview_of(tmp_path, [""], message=odd).replaced.characters) == 10  # type: ignore[union-attr]
