"""`globe_sms.send`: a campaign from Python, with its options side by side."""

from pathlib import Path

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
    with pytest.raises(InputError, match=r"^recipients: dict isn't a URI or a path"):
        send({"phone": "+6581234567"}, **options)
    with pytest.raises(InputError, match=r"^max_cost: .*: prices$"):
        send(str(path), **options, max_cost=20)
    with pytest.raises(InputError, match=r"^max_cost: .*: prices$"):
        send_campaign(recipients=[str(path)], **options, limits={"max_cost": 20})
    assert sandbox.gateway.stats().calls == 0
    report = send([path], **options, numbers_per_call=1, calls_per_second=50)
    assert (report.campaign, report.counts["accepted"], report.calls) == ("a", 2, 2)
    assert sandbox.gateway.stats().accepted_numbers == 2
