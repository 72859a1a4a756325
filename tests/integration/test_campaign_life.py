"""A campaign is planned, sent and finished under one id: what may change when, and who gets which text then."""

import json
import uuid
from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError, InputError
from tests.integration.flat_options import send_at_once, send_with
from tests.integration.prefect_operator import Operator

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]


@pytest.fixture(scope="module")
def sandbox() -> Generator[Sandbox]:
    """A gateway that logs the texts."""
    with Sandbox(calls_per_second=50, log_messages=True) as running:
        yield running


def texts(sandbox: Sandbox) -> Counter[tuple[str, str]]:
    """How often the gateway accepted which text to which number."""
    return Counter(
        (number, text)
        for arrival in sandbox.gateway.log()
        for number, text in zip(arrival.numbers, arrival.messages or [], strict=True)
        if number in arrival.accepted
    )


def document_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return campaign.json."""
    return json.loads((Path(config["results"]) / config["campaign"] / "campaign.json").read_text())


def test_a_typo_found_in_a_dry_run_is_mended_under_the_same_id(sandbox: Sandbox, config: dict[str, Any]) -> None:
    """Also where the list was mended, too: everybody on the new one gets the new text, once, also in a second run."""
    path = Path(config["recipients"][0])
    dry = send_at_once(**config | {"message": "Helo", "numbers_per_call": 7}, dry_run=True)
    assert (dry.counts["not_sent"], sandbox.gateway.stats().calls) == (30, 0)
    assert "sending_since" not in document_of(config)
    path.write_text(path.read_text().replace("6581234529", "6591234529"))
    sent = send_at_once(**config)
    assert (sent.calls, sent.counts["accepted"]) == (3, 30)
    again = send_at_once(**config)
    assert (again.calls, again.counts["accepted"]) == (0, 30)
    found = texts(sandbox)
    assert set(found.values()) == {1}
    assert {text for _, text in found} == {"Hello"}
    assert {number for number, _ in found if number.endswith("29")} == {"6591234529"}
    assert document_of(config)["sending_since"].startswith("20")
    folder = Path(config["results"]) / config["campaign"] / "plans"
    assert [path.name for path in folder.iterdir()] == [f"{document_of(config)['plan']['id']}.parquet"]


def test_once_texts_have_gone_out_the_text_stays_and_the_list_is_the_frozen_one(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    """Another text is refused; another list isn't read: the resume sends what is left of the plan. Calls may shrink."""
    sandbox.gateway.add_fault("code:AMOUNT_NOT_ENOUGH", next=1)
    with pytest.raises(CampaignStoppedError):
        send_at_once(**config)
    sandbox.gateway.clear_faults()
    with pytest.raises(InputError, match="--message: was 'Hello', now 'Bye'"):
        send_at_once(**config | {"message": "Bye"})
    with pytest.raises(InputError, match="was 'Hello', now 'Bye'"):
        send_at_once(**config | {"message": "Bye"}, dry_run=True)
    path = Path(config["recipients"][0])
    path.write_text("phone\n6598765432\n")
    sent = send_at_once(**config, suppress=[])
    assert sent.counts["accepted"] == 30
    found = texts(sandbox)
    assert (len(found), set(found.values())) == (30, {1})


def test_an_approval_of_another_text_is_void(sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]) -> None:
    """Approved out of hours, the same text isn't asked about in the next run; another text is."""
    later = datetime.now(UTC) + timedelta(hours=8 + 10)  # in Singapore
    hours = {"hours": f"{later:%H:00}-{later + timedelta(hours=2):%H:00}", "hours_wait": "0s", "type": "MKT"}
    config |= hours
    operator = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    assert send_with(**config, approve_above=0).counts["not_sent"] == 30
    operator.done()
    assert "sending_since" not in document_of(config)
    quick = config | {"approval_timeout": 1}
    assert send_with(**quick, approve_above=0).counts["not_sent"] == 30
    with pytest.raises(CampaignStoppedError, match="nobody answered"):
        send_with(**quick | {"message": "Bye"}, approve_above=0)
    assert document_of(config)["approval"]["decision"] == "declined"
    assert sandbox.gateway.stats().calls == 0


def test_a_declined_campaign_may_change(sandbox: Sandbox, api: httpx.Client, config: dict[str, Any]) -> None:
    """Somebody declined because of the text; the new one is asked about with what changed."""
    config["campaign"] = f"d-{uuid.uuid4().hex[:8]}"
    operator = Operator(api, config["campaign"], decision="decline", name="Mei Tan")
    with pytest.raises(CampaignStoppedError, match="by Mei Tan"):
        send_with(**config | {"message": "Helo"}, approve_above=0)
    operator.done()
    operator = Operator(api, config["campaign"], decision="approve", name="Mei Tan")
    assert send_with(**config, approve_above=0).counts["accepted"] == 30
    operator.done()
    assert "was 'Helo', now 'Hello'" in operator.description
    assert {text for _, text in texts(sandbox)} == {"Hello"}
