import pytest
from prefect.automations import Automation
from prefect.client.orchestration import get_client

from globe_sms.deployments.automations import WORKER_LOST, create_dead_worker_automations

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness leaves sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.usefixtures("prefect_url")
def test_the_automation_is_created_once_and_brought_up_to_date() -> None:
    """On a real Prefect server; running it again changes it instead of adding one."""
    assert "created" in create_dead_worker_automations()
    assert "updated" in create_dead_worker_automations(heartbeat_seconds=30)
    with get_client(sync_client=True) as client:
        found = client.read_automations_by_name(WORKER_LOST)
        assert len(found) == 1
        stored = Automation.read(name=WORKER_LOST)
        assert stored.trigger.within.total_seconds() == 90  # type: ignore[union-attr]
        client.delete_automation(found[0].id)  # it would watch over the runs of other tests
