"""STOP and its kin, as people write them."""

import pytest

from globe_sms.tasks.replies.opt_out_words import FIRM, START_WORDS, STOP_WORDS, Meaning, meaning_of


@pytest.mark.parametrize("word", [*STOP_WORDS, *START_WORDS])
def test_each_word_of_the_table_counts_as_people_write_it(word: str) -> None:
    """Whatever its case and the marks around it; and each line names a language and a source."""
    wanted = Meaning.STOP if word in STOP_WORDS else Meaning.START
    assert {meaning_of(each) for each in (word, word.upper(), f' "{word.title()}"!\n', f"🛑 {word}.")} == {wanted}
    language, source = (STOP_WORDS | START_WORDS)[word]
    assert language
    assert source


@pytest.mark.parametrize(
    "text",
    [
        "STOP texting me",
        "Unsubscribe, please!",
        "ARRÊT",
        "İptal",
        "Hủy",
        "Từ chối",
        "Opt-Out",
        "\uff33\uff54\uff4f\uff50",
        "退订 谢谢",
    ],
)
def test_what_means_stop_beyond_the_bare_word(text: str) -> None:
    """With accents, in full width, with more after words that mean nothing else."""
    assert meaning_of(text) is Meaning.STOP


@pytest.mark.parametrize(
    "text", ["", "  ", "stopping by", "please don't stop", "no problem", "cancel my order", "end of story", "Yes", "👍"]
)
def test_what_means_nothing_of_the_kind(text: str) -> None:
    """Words with other uses count alone only."""
    assert meaning_of(text) is Meaning.OTHER


@pytest.mark.parametrize("text", ["start please", "don't start", "restart", "STOP START"])
def test_nobody_is_put_back_in_doubt(text: str) -> None:
    """To get texts again takes exactly one word."""
    assert meaning_of(text) is not Meaning.START


def test_the_firm_words_are_in_the_table() -> None:
    """A list of its own could drift away."""
    assert {*FIRM} <= {*STOP_WORDS}
