import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.lease import LEASE_SECONDS, Owner
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.vocabulary.errors import CampaignBusyError, LeaseLostError, StoreUnavailableError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal
from tests.unit.campaign.store_that_loses_answers import LosesAnswers
from tests.unit.pacing.test_pacer import Clock, FakeStop

SETTINGS: Mapping[str, Any] = {"message": "Hello", "type": "NOTIFY"}
ELSEWHERE = Owner("run-elsewhere", "another-machine", "boot/pid:1:1", "its-flow-run")


def campaign(store: Store, clock: Clock, owner: Owner | None = None) -> Campaign:
    return Campaign(store, "camp", stop=FakeStop(clock), owner=owner, clock=clock)


def test_the_first_run_freezes_the_settings_and_holds_the_lease(store: Store) -> None:
    """And gives the lease back at its end."""
    clock = Clock()
    with campaign(store, clock) as run:
        run.open(SETTINGS)
        assert run.held()
        assert run.document.settings == SETTINGS
    with campaign(store, clock) as later:
        later.open(SETTINGS)
        assert later.held()
        assert later.predecessor is None


def test_a_second_run_waits_and_leaves_with_a_clear_message(local_store: Store) -> None:
    """While the first goes on renewing, the second has nothing to do."""
    clock = Clock()
    with campaign(local_store, clock, ELSEWHERE) as first:
        first.open(SETTINGS)
        with pytest.raises(CampaignBusyError, match="another-machine"):
            campaign(local_store, clock).open(SETTINGS, patience=5)


def test_a_dead_owners_lease_is_taken_over_when_it_has_expired(local_store: Store) -> None:
    """Not before: its machine may only be slow."""
    clock = Clock()
    dead = campaign(local_store, clock, ELSEWHERE)
    dead._take(SETTINGS)
    began = clock.now
    with campaign(local_store, clock) as heir:
        heir.open(SETTINGS)
        assert began + LEASE_SECONDS < clock.now < began + LEASE_SECONDS + 5
        assert not dead.held()
        assert heir.predecessor is not None
        assert (heir.predecessor.flow_run, heir.predecessor.taken_at.timestamp()) == ("its-flow-run", began)
        with pytest.raises(LeaseLostError, match="taken over"):
            dead.update(canary_failed=True)


def test_a_killed_neighbours_lease_is_taken_over_at_once(local_store: Store) -> None:
    """On the same machine it can be seen that the process is gone."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    here = Owner.here()
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    neighbour = Owner("run-2", here.host, f"{here.process.split(':')[0]}:{process.pid}:{stat[19]}")
    assert not neighbour.is_dead_neighbour_of(here)
    process.kill()
    process.communicate()
    assert neighbour.is_dead_neighbour_of(here)
    clock = Clock()
    campaign(local_store, clock, neighbour)._take(SETTINGS)
    began = clock.now
    with campaign(local_store, clock) as heir:
        heir.open(SETTINGS)
        assert clock.now == began


def test_a_process_id_that_was_given_to_another_process_is_not_the_owner() -> None:
    """The start time tells them apart."""
    here = Owner.here()
    namespace = here.process.split(":")[0]
    assert Owner("run-2", here.host, f"{namespace}:{os.getpid()}:1").is_dead_neighbour_of(here)
    assert not Owner("run-2", "another-machine", f"{namespace}:{os.getpid()}:1").is_dead_neighbour_of(here)


def test_a_lease_that_is_not_renewed_is_not_held_shortly_before_it_ends(local_store: Store) -> None:
    """With room for two clocks that differ."""
    clock = Clock()
    run = campaign(local_store, clock)
    run._take(SETTINGS)
    clock.now += LEASE_SECONDS - 3.5
    assert run.held()
    clock.now += 1.0
    assert not run.held()


def test_a_renewal_whose_answer_was_lost_does_not_lose_the_lease(tmp_path: Path) -> None:
    """The store has it, this run does not know: it finds its own hand in the document."""
    clock = Clock()
    run = campaign(LocalStore(tmp_path), clock)
    store = run.store = LosesAnswers(tmp_path / "camp")
    run._take(SETTINGS)
    store.losing = True
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            run.renew()
    store.losing = False
    run.update(canary_failed=True)
    assert run.held()
    assert run.document.canary_failed


def test_a_stop_ends_the_waiting_for_a_lease(local_store: Store) -> None:
    """Ctrl-C is heard there too."""
    clock, stop = Clock(), StopSignal()
    campaign(local_store, clock, ELSEWHERE)._take(SETTINGS)
    waiting = Campaign(local_store, "camp", stop=stop, clock=clock)
    stop.set(Stop(StopCause.CANCELLED, "test"))
    with pytest.raises(CampaignBusyError, match="stopped while waiting"):
        waiting.open(SETTINGS)
