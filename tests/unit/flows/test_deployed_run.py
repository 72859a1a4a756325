import uuid
from contextlib import nullcontext

import pytest
from prefect.client.schemas.objects import FlowRun

from globe_sms.flows.orchestration.deployed_run import check_campaign_id, check_lasting, check_places
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.options.flow_parameters import null_options
from globe_sms.tasks.vocabulary.errors import InputError


def _run(*, scheduled: bool = False, deployed: bool = True) -> FlowRun:
    return FlowRun(flow_id=uuid.uuid4(), auto_scheduled=scheduled, deployment_id=uuid.uuid4() if deployed else None)


@pytest.mark.parametrize("campaign", [None, ""])
def test_a_deployed_run_needs_a_campaign_id(campaign: str | None) -> None:
    """An ID made of the lists would change with them, and text everybody again; a terminal may leave it out."""
    for scheduled in (True, False):
        with pytest.raises(InputError, match=r"Campaign ID: .*nothing was sent"):
            check_campaign_id(campaign, _run(scheduled=scheduled))
        check_campaign_id("daily-2026-11-30", _run(scheduled=scheduled))
    check_campaign_id(campaign, _run(deployed=False))


@pytest.mark.parametrize("results", ["campaigns", "./campaigns", "/tmp/x", "/var/tmp/x", "/srv/../tmp/x", "/dev/shm/x"])  # noqa: S108
def test_a_deployed_run_refuses_results_that_do_not_last(results: str) -> None:
    """A run from a terminal may have them anywhere."""
    with pytest.raises(InputError, match=r"Results folder: .*Nothing was sent"):
        check_lasting("Results folder", results, _run())
    check_lasting("Results folder", results, _run(deployed=False))
    with pytest.raises(InputError, match=r"Publish to: .*is lost when the run ends\. Nothing was sent"):
        check_lasting("Publish to", results, _run(), remembers=False)


@pytest.mark.parametrize("results", ["s3://bucket/campaigns", "/srv/campaigns", "/tmpfiles/campaigns"])  # noqa: S108
def test_a_deployed_run_takes_results_that_last(results: str) -> None:
    """S3, and absolute paths that only look like temporary ones."""
    check_lasting("Results folder", results, _run())


@pytest.mark.parametrize(
    ("places", "says"),
    [
        ({"results": "/tmp/x", "publish": "s3://lake/sms"}, "Results folder: '/tmp/x'"),  # noqa: S108
        ({"results": "s3://out/x", "publish": "lake"}, "Publish to: 'lake'"),
        ({"results": "/srv/x", "publish": "/srv/lake"}, None),
        ({"results": "s3://out/x"}, None),
    ],
)
def test_all_places_of_a_campaign_must_last(places: dict[str, str], says: str | None) -> None:
    config = CampaignConfig.checked(recipients="a.csv", message="Hi", type="NOTIFY", **places)
    with nullcontext() if says is None else pytest.raises(InputError, match=says):
        check_places(config, _run())


def test_nulls_are_found_one_by_one_and_by_group() -> None:
    """As Prefect's UI records them."""
    found = null_options(
        {"campaign": None, "message": "Hi", "cap": None, "limits": None, "timing": {"hours_wait": None, "until": 1}}
    )
    assert {"campaign", "max_recipients", "max_cost", "prices", "hours_wait"} <= found
    assert not {"message", "cap", "limits", "timing", "until"} & found
