"""The first claim freezes the campaign: after it's in the document, before the claim, and only if there's a claim."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY
from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.lease import LEASE_SECONDS, Owner
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.gateway import CallVerdict, Outcome
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal
from tests.unit.sending.scripted_sender import CHUNK, FAST, NUMBERS, ToldGateway, accepts, make_sender

UNREACHABLE = Outcome(verdict=CallVerdict.UNREACHABLE, reason="unreachable", advice="Check the network.")


def document(store: Store) -> dict[str, Any]:
    stored = store.get(f"camp/{DOCUMENT_KEY}")
    assert stored is not None
    return json.loads(stored.body)


class _Watched(LocalStore):
    """Notes whether the document said so at each claim; doesn't answer to a beginning while `failing`."""

    def __init__(self, root: Path, prefix: str = "", uri: str | None = None) -> None:
        super().__init__(root, prefix, uri)
        self.begun_at_claims: list[bool] = []
        self.failing = False

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        if key.startswith("claims/"):
            stored = self.get(DOCUMENT_KEY)
            self.begun_at_claims.append(stored is not None and b"sending_since" in stored.body)
        return super().put_if_absent(key, body)

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        if self.failing and b"sending_since" in body:
            raise StoreUnavailableError(key)
        return super().compare_and_swap(key, body, version)

    def within(self, prefix: str) -> Store:
        if prefix != "camp":
            return super().within(prefix)
        self.camp = _Watched(self._root, f"{self._prefix}{prefix}/", f"{self._uri}/{prefix}")
        return self.camp


def test_the_document_says_so_before_the_first_claim(tmp_path: Path) -> None:
    store = _Watched(tmp_path / "store")
    gateway = ToldGateway(accepts)
    sender = make_sender(store, gateway, tmp_path)
    with sender.campaign:
        sender.send(CHUNK, History())
    assert store.camp.begun_at_claims == [True]
    assert len(gateway.presented()) == len(NUMBERS)


def test_without_an_answer_to_the_beginning_there_is_neither_claim_nor_call(tmp_path: Path) -> None:
    """The run tries for a while, then stops; a resume begins."""
    store = _Watched(tmp_path / "store")
    gateway = ToldGateway(accepts)
    sender = make_sender(store, gateway, tmp_path, retries=replace(FAST, store_patience=0.0))
    store.camp.failing = True
    with sender.campaign:
        assert sender.send(CHUNK, History()) is None
    assert (gateway.written, sender.ledger.histories()) == ([], {})
    assert sender.stop.stop is not None
    assert sender.stop.stop.cause is StopCause.STORE_DOWN


def test_a_run_whose_campaign_was_taken_over_before_its_first_claim_stops(
    local_store: LocalStore, tmp_path: Path
) -> None:
    """It thinks that it has the lease: its clock stood still. Only the swap tells it, and it claims nothing."""
    now = [1_800_000_000.0]
    gateway = ToldGateway(accepts)
    sender = make_sender(local_store, gateway, tmp_path, lease_clock=lambda: now[0])
    other = Campaign(
        local_store,
        "camp",
        stop=StopSignal(),
        owner=Owner("other", "elsewhere", "boot/pid:1:1"),
        clock=lambda: now[0] + 2 * LEASE_SECONDS,
    )
    assert other._take({"message": "hello"})
    assert sender.campaign.held()
    assert sender.send(CHUNK, History()) is None
    assert (gateway.written, sender.ledger.histories()) == ([], {})
    assert sender.stop.stop is not None
    assert sender.stop.stop.cause is StopCause.LEASE_LOST
    sender.campaign.give_back()


@pytest.mark.parametrize("stopped", [True, False])
def test_a_run_that_never_comes_to_a_claim_leaves_the_campaign_planned(
    local_store: LocalStore, tmp_path: Path, *, stopped: bool
) -> None:
    """Stopped before its turn, or a gateway that can't be reached: the text may still be mended."""
    sender = make_sender(local_store, ToldGateway(UNREACHABLE), tmp_path)
    if stopped:
        sender.stop.set(Stop(StopCause.CANCELLED, "test"))
    with sender.campaign:
        sender.send(CHUNK, History())
    assert "sending_since" not in document(local_store)
    resumed = make_sender(local_store, ToldGateway(accepts), tmp_path)
    with resumed.campaign:
        record = resumed.send(CHUNK, History())
    assert record is not None
    assert record.settlement is Settlement.ACCEPTED
    assert document(local_store)["sending_since"].startswith("20")
