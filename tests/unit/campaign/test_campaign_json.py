"""campaign.json: what a run writes, and what it refuses to read."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from globe_sms.tasks.campaign.approval import Approval, Decision
from globe_sms.tasks.campaign.campaign_json import (
    CampaignDocument,
    ListRead,
    PlanFigures,
    PlanInputs,
    ReplacedPlan,
    Summary,
)
from globe_sms.tasks.campaign.lease import Lease
from globe_sms.tasks.vocabulary.errors import InputError

INPUTS = PlanInputs(numbers_per_call=250, suppress=("s3://lists/out.csv",), left_out="sha", phonenumbers="9.0.30")
BEGUN = CampaignDocument(campaign="camp", created_at=datetime(2026, 11, 30, 8, tzinfo=UTC), settings={"message": "Hi"})
FULL = BEGUN.changed(
    plan=PlanFigures(id="p2", inputs=INPUTS, rows={"sendable": 2}, chunks=1, numbers_override={"657": True}),
    replaced=ReplacedPlan(settings={"message": "Hu"}, lists=None, inputs=INPUTS, rows={"sendable": 1}),
    sending_since=datetime(2026, 11, 30, 8, 30, tzinfo=UTC),
    summary=Summary(
        campaign="camp",
        results="s3://prod/camp/results.parquet",
        counts={"accepted": 2},
        calls=1,
        seconds=0.5,
        ended_at=datetime(2026, 11, 30, 9, tzinfo=UTC),
    ),
    lease=Lease("run-1", "host", "boot/pid:1:1", 1.5, "n"),
    lists=(ListRead(uri="s3://lists/a.csv", identity="etag"),),
    approval=Approval(Decision.APPROVED, "Mei", "in Prefect", "2026-11-30T08:00:00+00:00", 2, 0, "f", "run-1"),
    canary_failed=True,
    deliveries={"delivered": 2, "settled_by_receipt": 0},
)


def read(body: bytes) -> CampaignDocument:
    return CampaignDocument.decode(body, "s3://prod/camp")


@pytest.mark.parametrize("document", [BEGUN, FULL])
def test_what_is_written_is_read(document: CampaignDocument) -> None:
    assert read(document.encode()) == document


def test_a_campaign_that_was_only_begun_has_no_keys_of_later() -> None:
    assert json.loads(BEGUN.encode()) == {
        "campaign": "camp",
        "format": 1,
        "created_at": "2026-11-30T08:00:00+00:00",
        "settings": {"message": "Hi"},
        "plan": None,
        "summary": None,
        "lease": None,
    }


def test_another_format_is_refused_with_what_to_do() -> None:
    body = json.dumps({**json.loads(FULL.encode()), "format": 2}).encode()
    with pytest.raises(InputError) as caught:
        read(body)
    assert str(caught.value) == (
        "s3://prod/camp/campaign.json has format 2, and this globe-sms reads format 1: use the globe-sms that wrote "
        "it, or send under another --campaign."
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"lease": 3}, "lease: "),
        ({"settings": None}, "settings: "),
        ({"created_at": "yesterday"}, "created_at: "),
        ({"summary": {"counts": {}}}, "summary.campaign: "),
        (
            {"plan": {"id": "p", "inputs": {"numbers_per_call": 1}, "rows": {"sendable": "many"}, "chunks": 1}},
            "plan.rows.sendable: ",
        ),
        ({"surprise": 1}, "surprise: "),
    ],
)
def test_a_damaged_document_is_one_line_that_names_the_field(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError) as caught:
        read(json.dumps({**json.loads(FULL.encode()), **changes}).encode())
    assert str(caught.value).startswith(f"s3://prod/camp/campaign.json is damaged ({what}")
    assert str(caught.value).endswith("restore an earlier version of the object, or send under another --campaign.")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_what_is_no_document_at_all_is_damaged(body: bytes) -> None:
    with pytest.raises(InputError, match="is damaged"):
        read(body)


def test_a_field_that_nobody_declared_is_not_written() -> None:
    with pytest.raises(ValidationError):
        BEGUN.changed(canary_faild=True)
