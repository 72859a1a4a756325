"""`globe_sms.send`: a campaign from Python, with its options side by side."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms import send
from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.vocabulary.errors import InputError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_sandbox")]


def test_a_campaign_is_sent_and_its_report_returned(sandbox: Sandbox, tmp_path: Path) -> None:
    """Wrong options first: a line each, by the names that Python has for them, and nothing is sent."""
    path = tmp_path / "list.csv"
    path.write_text("phone,name\n+6581234567,Zoë\n+6581234568,\n")
    options = {"message": "Dear {name|friend}", "type": "NOTIFY", "results": str(tmp_path / "out"), "campaign": "a"}
    with pytest.raises(InputError) as caught:
        send(str(path), **options, max_cost=20, hours="9", nonsense=1)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["hours", "nonsense"]
    with pytest.raises(InputError, match=r"^recipients: dict isn't a URI, a path or a frame"):
        send({"phone": "+6581234567"}, **options)
    with pytest.raises(InputError, match=r"^max_cost: .*: prices$"):
        send(str(path), **options, max_cost=20)
    with pytest.raises(InputError, match=r"^max_cost: .*: prices$"):
        send_campaign(recipients=[str(path)], **options, cap="cost 20")
    assert sandbox.gateway.stats().calls == 0
    report = send([path], **options, numbers_per_call=1, calls_per_second=50)
    assert (report.campaign, report.counts["accepted"], report.calls) == ("a", 2, 2)
    assert sandbox.gateway.stats().accepted_numbers == 2


def test_a_frame_is_a_list_of_the_campaigns_folder_and_the_same_rows_are_the_same_campaign(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """With an ID or without one; a file beside it counts for the ID, too."""
    frame = pl.DataFrame({"phone": ["+6581234561", "no number", "+6581234562"], "name": ["Anna", "Bert", None]})
    more = tmp_path / "more.csv"
    more.write_text("phone,name\n+6581234563,Cleo\n")
    options: dict[str, Any] = {"message": "Dear {name|friend}", "type": "NOTIFY", "results": str(tmp_path / "out")}
    first = send(frame, more, **options, calls_per_second=50)
    assert {name: count for name, count in first.counts.items() if count} == {"accepted": 3, "invalid": 1}
    again = send([frame.lazy(), str(more)], **options)
    assert (again.campaign, again.calls) == (first.campaign, 0)
    assert [Path(each).parent.name for each in first.results()["source"].unique(maintain_order=True)] == [
        "lists",
        tmp_path.name,
    ]
    more.write_text("phone,name\n+6581234563,Cleo\n+6581234564,Dora\n")
    other = send(frame, more, **options, dry_run=True)
    assert other.campaign != first.campaign
    named = send(frame, **options, campaign="spring", repeat_after="0")
    assert (named.campaign, named.counts["accepted"]) == ("spring", 2)
    assert [*(tmp_path / "out" / "spring" / "lists").iterdir()]
    with pytest.raises(InputError, match="recipients"):
        send(frame.reverse(), **options, campaign="spring", repeat_after="0")
    assert sandbox.gateway.stats().accepted_numbers == 5


def test_whom_to_look_into_and_whom_to_text_again(sandbox: Sandbox, tmp_path: Path) -> None:
    """A number that the gateway refused may be texted again; one that may have the text may not."""
    sandbox.gateway.add_fault("code:MOBILE_NUMBER_ILLEGAL", numbers=("6581234561",))
    sandbox.gateway.add_fault("accept_then_drop", numbers=("6581234562",))
    frame = pl.DataFrame({"phone": ["+6581234561", "+6581234562", "+6581234563"]})
    report = send(
        frame,
        message="Hi",
        type="NOTIFY",
        results=str(tmp_path / "out"),
        campaign="c",
        numbers_per_call=1,
        calls_per_second=50,
    )
    assert report.failures()["status"].to_list() == ["failed", "unknown"]
    assert report.retry_list().rows() == [("+6581234561", "failed", "MOBILE_NUMBER_ILLEGAL", "MOBILE_NUMBER_ILLEGAL")]
    sandbox.gateway.clear_faults()
    assert send(report.retry_list(), message="Hi", type="NOTIFY", results=str(tmp_path / "out")).counts["accepted"] == 1
