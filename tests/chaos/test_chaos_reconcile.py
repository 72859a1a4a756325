"""The proof of settling: after every unclear fault, the receipts make the results equal to the gateway's own log."""

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from globe_sms.deployments.sandbox.gateway.delivery_receipts import Way
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.reconcile import Reconciled, reconcile
from globe_sms.tasks.delivery.rewrite_results import rewrite_results
from globe_sms.tasks.store import S3Store
from globe_sms.tasks.store.s3_access import S3Access
from tests.chaos.campaign_under_test import Campaign, Stage, chunk_of
from tests.chaos.long_form import LONG, long_form
from tests.chaos.receipts_endpoint_process import Endpoint
from tests.chaos.test_chaos_faults import FAULTS, HEALTHY, NO_REPLY, Fault
from tests.waiting import await_event

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PLACES = {"undelivered": 0.15, "expired": 0.05}


@pytest.fixture
def s3(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> S3Access:
    """S3 as the tracker sees it."""
    for name, value in stage.sandbox.s3.environment.items():
        monkeypatch.setenv(name, value)
    return S3Access.from_environment()


def track(
    stage: Stage, campaign: Campaign, receipts: str, s3: S3Access, scratch: Path, hours: float = 72.0
) -> Reconciled:
    """Read the receipts and write what they say into the results, as the tracker does without queries."""
    scratch.mkdir()
    store = S3Store(s3.client(), stage.sandbox.bucket, campaign.results.removeprefix(f"s3://{stage.sandbox.bucket}/"))
    folder = store.within(campaign.id)
    settled = reconcile(
        folder,
        DeliveryArchive(folder, scratch),
        [receipts],
        campaign=campaign.id,
        s3=lambda: s3,
        scratch=scratch,
        settle_after=timedelta(hours=hours),
    )
    rewrite_results(store, campaign.id, scratch)
    return settled


def taken(stage: Stage, campaign: Campaign) -> dict[str, str]:
    """Number -> MessageId of everything that the gateway has accepted, whatever its callers were told."""
    return {number: ids for arrival in stage.arrivals(campaign) for number, ids in arrival.accepted.items()}


def await_pushes(stage: Stage, campaign: Campaign) -> None:
    """Wait until the receipt of every accepted message has been pushed and acknowledged."""
    wanted = set(taken(stage, campaign).values())

    def pushed() -> bool:
        return wanted <= {each for push in stage.sandbox.gateway.pushes() if push.taken for each in push.message_ids}

    await_event(pushed, "the receipts of every accepted message")


def assert_results_equal_the_log(stage: Stage, campaign: Campaign) -> None:
    """What the gateway took is accepted under its own message id and ended as the gateway says; nothing else is."""
    fates = {record["message_id"]: record for record in stage.sandbox.gateway.deliveries()}
    ids = taken(stage, campaign)
    sent = stage.results(campaign).filter(pl.col("chunk").is_not_null())
    assert sent.height == len(campaign.numbers)
    for row in sent.iter_rows(named=True):
        message_id = ids.get(row["phone_number"][1:])
        assert (row["status"] == "accepted") == (message_id is not None), row
        assert row["message_id"] == message_id, row
        assert row["delivery"] == (None if message_id is None else fates[message_id]["fate"]), row
        assert row["reason"] is None or row["status"] != "accepted", row


def test_a_campaign_with_every_unclear_fault_is_settled_as_the_gateway_has_it(
    stage: Stage, s3: S3Access, tmp_path: Path
) -> None:
    """Pushed with doubles, late and in any order; a resend then presents only what was not taken, and once."""
    # A call of which the gateway took some numbers only isn't resent: what it didn't take stays unknown.
    whole = [fault for fault in FAULTS if fault.kind != "few_accepted"]
    faults = (*whole, *([Fault("hang", {NO_REPLY})] if LONG else []))
    campaign = stage.campaign("s3", "--max-failure-rate=1", chunks=len(faults) + HEALTHY)
    for chunk, fault in enumerate(faults):
        stage.sandbox.gateway.add_fault(fault.kind, number=campaign.chunk(chunk)[0], seed=1, **fault.options)
    stage.sandbox.gateway.set_deliveries(**PLACES, low=0.0, high=1.0)
    receipts = f"s3://{stage.sandbox.bucket}/{campaign.id}-receipts"
    with Endpoint(receipts, stage.sandbox.environment, tmp_path) as endpoint:
        way = Way(doubled=0.3, late=0.2, late_seconds=2.0)
        stage.sandbox.gateway.push_receipts(endpoint.url, per_push=37, retry_after=(0.5, 0.5), way=way)
        assert stage.run(campaign).code == 3
        await_pushes(stage, campaign)
        before = stage.results(campaign)

        settled = track(stage, campaign, receipts, s3, tmp_path / "first")

        unknown_and_taken = before.filter(
            (pl.col("status") == "unknown") & pl.col("phone_number").str.slice(1).is_in(taken(stage, campaign).keys())
        )
        unpaired = before.filter(pl.col("reason") == "message_id_unmatched")
        assert (settled.settled, settled.paired) == (unknown_and_taken.height, unpaired.height)
        assert settled.settled
        assert settled.paired
        assert settled.half_settled == ()
        assert_results_equal_the_log(stage, campaign)
        assert stage.faults(campaign) == []

        again = track(stage, campaign, receipts, s3, tmp_path / "second")
        assert again.reading.objects <= settled.reading.objects
        assert_results_equal_the_log(stage, campaign)

        untaken = set(stage.results(campaign).filter(pl.col("status") == "unknown")["chunk"])
        resent = {number for chunk in untaken for number in campaign.chunk(chunk)}
        calls = stage.sandbox.gateway.stats().calls
        stage.sandbox.gateway.clear_faults()
        assert stage.run(campaign, "--on-unknown=resend").code == 0
        presented_again = {chunk_of(arrival) for arrival in stage.arrivals(campaign)[calls:]}
        assert presented_again == untaken
        assert untaken
        assert stage.sandbox.gateway.stats().accepted_twice == 0
        assert stage.faults(campaign, resent=resent) == []

        await_pushes(stage, campaign)
        track(stage, campaign, receipts, s3, tmp_path / "third")
        assert_results_equal_the_log(stage, campaign)
        assert stage.faults(campaign, resent=resent) == []
    assert "Traceback" not in endpoint.output
    assert endpoint.secret not in endpoint.output


@long_form
def test_a_chunk_of_which_some_receipts_are_lost_is_named_and_never_presented_again(
    stage: Stage, s3: S3Access, tmp_path: Path
) -> None:
    """One receipt proves that the chunk was taken; only the chunk of which nothing was heard goes out again."""
    dropped, lost = 1, 2
    campaign = stage.campaign("s3", chunks=4)
    stage.sandbox.gateway.add_fault("accept_then_drop", number=campaign.chunk(dropped)[3])
    stage.sandbox.gateway.add_fault("drop_before", number=campaign.chunk(lost)[3])
    assert stage.run(campaign).code == 3
    stage.sandbox.gateway.clear_faults()
    heard_of = campaign.chunk(dropped)[:3]
    ids = taken(stage, campaign)
    receipts = f"s3://{stage.sandbox.bucket}/{campaign.id}-receipts"
    body = json.dumps(
        [
            {"To": number, "MessageId": ids[number], "Status": "1", "TaskId": f"{campaign.id}-{dropped}-1"}
            for number in heard_of
        ]
    )
    key = f"{campaign.id}-receipts/pushed.json"
    s3.client().put_object(Bucket=stage.sandbox.bucket, Key=key, Body=body.encode())

    settled = track(stage, campaign, receipts, s3, tmp_path / "first", hours=0.0)

    assert [(chunk.chunk, chunk.heard_of, chunk.unknown) for chunk in settled.half_settled] == [(dropped, 3, 7)]
    assert [(chunk.chunk, chunk.heard_of, chunk.unknown) for chunk in settled.silent] == [(lost, 0, 10)]
    assert stage.run(campaign, "--on-unknown=resend").code == 3
    presented = [chunk_of(arrival) for arrival in stage.arrivals(campaign)]
    assert [presented.count(chunk) for chunk in range(4)] == [1, 1, 2, 1]
    assert stage.sandbox.gateway.stats().accepted_twice == 0
    assert stage.statuses(campaign) == {("accepted", None): 33, ("unknown", "no_reply"): 7}
    assert stage.faults(campaign, resent=set(campaign.chunk(lost))) == []
