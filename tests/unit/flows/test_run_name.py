"""Which names of a run are kept."""

from types import SimpleNamespace
from typing import Any

import pytest
from prefect.utilities.names import generate_slug

from globe_sms.flows.orchestration.run_name import is_made_up, typed_or


@pytest.mark.parametrize("name", ["gamma3-aquarii-void", "omega-canis-majoris", "Awesome-Addax", "Tasty-Bear"])
def test_what_a_form_fills_in_is_made_up(name: str) -> None:
    """Both UIs fill the field Run Name with a random one."""
    assert is_made_up(name)


def test_what_the_server_makes_is_made_up() -> None:
    """For runs that have none."""
    assert all(is_made_up(generate_slug(2)) for _ in range(200))


@pytest.mark.parametrize(
    "name", ["black-friday", "Opening", "parcels-2026-11-24", "alpha", "beta-test-for-the-team", "Small print", "sale"]
)
def test_what_somebody_typed_stays(name: str) -> None:
    """It's how they find the run again."""
    run: Any = SimpleNamespace(name=name)
    assert typed_or("campaign", run) == name
    made_up: Any = SimpleNamespace(name="Awesome-Addax")
    assert typed_or("campaign", made_up) == "campaign"
