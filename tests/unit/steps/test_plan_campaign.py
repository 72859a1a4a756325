"""The plan of a run: the one there is while nothing has changed, another one otherwise, until the first claim."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from globe_sms.tasks.campaign.approval import Approval, Decision
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.runs.open_campaign_run import open_run
from globe_sms.tasks.steps.plan_campaign import plan_campaign
from globe_sms.tasks.steps.preview_campaign import preview_campaign
from globe_sms.tasks.steps.read_ledger import leave_out_now, read_ledger
from globe_sms.tasks.vocabulary.errors import InputError

Options = dict[str, Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """A dry run of three numbers, with an opt-out list of none of them."""
    (tmp_path / "list.csv").write_text("phone\n+6581234567\n+6581234568\n+6581234569\n")
    (tmp_path / "out.csv").write_text("phone\n+6591234567\n")
    return {
        "recipients": [str(tmp_path / "list.csv")],
        "message": "Helo",
        "type": "NOTIFY",
        "results": str(tmp_path / "results"),
        "campaign": "camp",
        "suppress": [str(tmp_path / "out.csv")],
        "dry_run": True,
    }


def opened(options: Options) -> Any:
    return open_run(CampaignConfig.checked(**options), {})


def preview_of(run: CampaignRun) -> Preview:
    plan = plan_campaign(run)
    return preview_campaign(run, plan, read_ledger(run, plan))


def plan_of(options: Options) -> str:
    with opened(options) as run:
        return plan_campaign(run).id


def another_list(options: Options) -> None:
    Path(options["recipients"][0]).write_text("phone\n+6581234567\n")


def another_opt_out(options: Options) -> None:
    Path(options["suppress"][0]).write_text("phone\n+6581234569\n")


def gone_plan(options: Options) -> None:
    for path in (Path(options["results"]) / "camp" / "plans").iterdir():
        path.unlink()


def given(**changes: Any) -> Callable[[Options], None]:
    return lambda options: options.update(changes)


def test_a_run_takes_the_plan_there_is_if_nothing_has_changed(options: Options) -> None:
    """Caps, prices, the rate and approvals may be others; the lists are looked at, and not read again."""
    first = plan_of(options)
    assert plan_of(options | {"max_recipients": 5, "calls_per_second": 9, "approve_above": 0}) == first
    with opened(options) as run:
        assert preview_of(run).changes == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (given(message="Hello"), ("--message", "was 'Helo', now 'Hello'")),
        (given(sender_id=["Acme", "SG=AcmeSG"]), ("--sender-id", "was not given, now SG=AcmeSG, *=Acme")),
        (given(allow_country=["SG", "MY"]), ("--allow-country", "was not given, now MY, SG")),
        (given(downgrade=False), ("--downgrade", "was on, now off")),
        (given(numbers_per_call=2), ("--numbers-per-call", "was 250, now 2")),
        (given(suppress=[]), ("--suppress", "now not given")),
        (another_list, ("Lists", "changed: ")),
        (another_list, ("Rows", "3 of 3 can be texted; now 1 of 1 can be texted")),
        (another_opt_out, ("Left out", "opt-out lists or earlier results were read again")),
        (another_opt_out, ("Rows", "3 of 3 can be texted; now 2 of 3 can be texted")),
    ],
)
def test_a_change_is_another_plan_and_the_preview_says_what_changed_once(
    options: Options, change: Callable[[Options], None], said: tuple[str, str]
) -> None:
    """Also if the run that made the plan was killed before its preview."""
    first = plan_of(options)
    change(options)
    second = plan_of(options)
    assert second != first
    with opened(options) as run:
        preview = preview_of(run)
        assert run.campaign.document.settings == run.config.frozen_settings()
        assert run.campaign.document.replaced is None
    assert any(term == said[0] and said[1] in text for term, text in preview.changes), preview.changes
    assert "Changed since the last plan of this campaign" in as_markdown(preview_page(preview))
    with opened(options) as run:
        assert preview_of(run).changes == ()
    assert plan_of(options) == second


def test_a_plan_that_is_gone_is_made_again_before_the_sending_and_an_error_after_it(options: Options) -> None:
    """From then on nothing else may be sent under this id; the lists are no longer needed."""
    first = plan_of(options)
    gone_plan(options)
    second = plan_of(options)
    assert second != first
    with opened(options) as run:
        plan_campaign(run)
        run.campaign.begin_sending()
    for path in (*options["recipients"], *options["suppress"]):
        Path(path).unlink()
    options["suppress"] = []
    with opened(options) as run:
        assert preview_of(run).is_earlier
        assert run.campaign.use_plan().id == second
    gone_plan(options)
    with opened(options) as run, pytest.raises(InputError, match=rf"plans/{second}\.parquet is gone"):
        plan_campaign(run)


def test_the_preview_says_that_an_approval_of_the_plan_before_is_void(options: Options) -> None:
    """It names who gave it."""
    with opened(options) as run:
        plan_campaign(run)
        content = run.campaign.document.content
        run.campaign.update(
            approval=Approval(Decision.APPROVED, "Mei Tan", "in Prefect", "2026-11-30", 3, 0, content, "run-1")
        )
    with opened(options | {"numbers_per_call": 2}) as run:
        assert [said for term, said in preview_of(run).changes if term == "Approval"] == []
    with opened(options | {"message": "Hello"}) as run:
        (said,) = (said for term, said in preview_of(run).changes if term == "Approval")
        assert said.startswith("Mei Tan approved the earlier plan")


def test_before_a_stretch_of_sending_those_who_opted_out_since_the_last_look_are_taken_off(options: Options) -> None:
    """A chunk that has lost all its numbers isn't handed out; with a list that can't be read, none is."""
    with opened(options | {"numbers_per_call": 1}) as run:
        plan = plan_campaign(run)
        remaining = read_ledger(run, plan)
        assert remaining.chunks == (0, 1, 2)
        another_opt_out(options)
        assert leave_out_now(run, plan, remaining).chunks == (0, 1)
        Path(options["suppress"][0]).unlink()
        leave_out_now(run, plan, remaining)
        assert run.stop.stop is not None
        assert "Opt-out lists and the policy are read again before people are texted" in run.stop.stop.message
