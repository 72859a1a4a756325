"""The question at a terminal, on a real pseudo-terminal."""

import io
import os
from collections.abc import Callable, Generator
from typing import Any

import pytest
from rich.console import Console

from globe_sms.flows.command_line.terminal_question import TerminalQuestion
from globe_sms.tasks.campaign.approval import NOBODY, Answer, Decision
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.flows.previews import PREVIEW

Ask = Callable[..., Answer]


@pytest.fixture
def ask() -> Generator[Ask]:
    """Answer a question with what was typed, at a terminal."""
    master, slave = os.openpty()

    def typed(keys: str, **changes: Any) -> Answer:
        os.write(master, keys.encode())
        shown = io.StringIO()
        question = TerminalQuestion(
            Console(file=shown, force_terminal=True, width=200), config(**changes), yes=False, answers=terminal
        )
        ask_it = question.ask_if_needed(required=False)
        assert ask_it is not None
        answer = ask_it(PREVIEW)
        assert "[y/N]" in shown.getvalue()
        return answer

    with os.fdopen(slave, encoding="utf-8") as terminal:
        yield typed
    os.close(master)


def config(**changes: Any) -> CampaignConfig:
    return CampaignConfig.checked(**{"recipients": "a.csv", "message": "Hi", "type": "OTP", "results": "out"} | changes)


def question(*, yes: bool = False, **changes: Any) -> TerminalQuestion:
    """A question where there is no terminal."""
    return TerminalQuestion(Console(file=io.StringIO()), config(**changes), yes=yes, answers=io.StringIO("y\n"))


@pytest.mark.parametrize("keys", ["y\n", "Y\n", "yes\n", " YES \n"])
def test_yes_is_yes(ask: Ask, keys: str) -> None:
    """With the name of the user who sits there."""
    answer = ask(keys)
    assert answer.decision is Decision.APPROVED
    assert answer.by != NOBODY


@pytest.mark.parametrize("keys", ["\n", "n\n", "yep\n", "ja\n", "\x04"])
def test_all_else_is_no(ask: Ask, keys: str) -> None:
    """Return alone, a typo, the end of the input."""
    assert ask(keys).decision is Decision.DECLINED


def test_silence_is_no(ask: Ask) -> None:
    """After the approval's time-out."""
    answer = ask("", approval_timeout=1)
    assert (answer.decision, answer.by) == (Decision.DECLINED, NOBODY)
    assert "nobody answered in 1 s" in answer.note


def test_without_a_terminal_nothing_is_asked_that_need_not_be() -> None:
    """A script goes through as it always did."""
    assert question().ask_if_needed(required=False) is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"approve_above": 10}, "--approve-above 10"), ({"approve_above": 0}, "--approve-above 0")],
)
def test_without_a_terminal_a_required_answer_wants_yes(changes: dict[str, Any], word: str) -> None:
    """And the message says which option wants it, and what to add."""
    with pytest.raises(InputError, match="--yes") as caught:
        question(**changes).ask_if_needed(required=True)
    assert word in str(caught.value)


def test_yes_beforehand_answers_a_required_question_only() -> None:
    """So that it is recorded who said it; what need not be asked leaves no record."""
    ask_it = question(yes=True).ask_if_needed(required=True)
    assert ask_it is not None
    assert ask_it(PREVIEW).note == "by --yes"
    assert question(yes=True).ask_if_needed(required=False) is None
