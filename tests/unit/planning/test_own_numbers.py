"""A test to own numbers: who gets which text from whom, and when it is the same test again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from globe_sms.flows.orchestration.campaign_parameters import refuse_recorded_numbers
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.numbers import NO_OVERRIDES
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.planning.own_numbers import read_own_numbers
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError

OWN = ("+447400999001", "+447400999002", "+447400999003")
LIST = "phone,name\nx,Nobody\n+6581234567,Ann\n+6581234567,Ann again\n+33612345678,Bo\n+6581234569,Cy\n"


def no_s3() -> Any:
    """Nothing here is on S3."""
    raise AssertionError


def config_of(folder: Path, rows: str = LIST, **options: Any) -> CampaignConfig:
    """The configuration of a campaign with a CSV list."""
    path = folder / "list.csv"
    path.write_text(rows, encoding="utf-8")
    given = {"message": "Hi {name}", "type": "NOTIFY", "results": str(folder), "test_to": OWN} | options
    return CampaignConfig.checked(recipients=(str(path),), **given)


def planned(folder: Path, rows: str = LIST, **options: Any) -> FrozenPlan:
    """The plan of a test."""
    config = config_of(folder, rows, **options)
    own = read_own_numbers(config.test_to, default_region=config.default_region, overrides=NO_OVERRIDES, s3=no_s3)
    now = datetime(2026, 11, 24, 3, tzinfo=UTC)
    plan, _ = make_plan(config.testing(own["e164"]), LocalStore(folder / "store"), no_s3, folder, own=own, now=now)
    return plan


def texts(plan: FrozenPlan) -> dict[str, str]:
    """What each number reads."""
    return dict(plan.scan().select("phone_number", "message").collect().iter_rows())


def test_own_numbers_read_what_the_first_rows_would(tmp_path: Path) -> None:
    """Rows that are sent nothing have no text to test; and nobody on the lists is in the plan."""
    assert texts(planned(tmp_path)) == dict(zip(OWN, ["Hi Ann", "Hi Bo", "Hi Cy"], strict=True))


def test_a_short_list_says_its_texts_again(tmp_path: Path) -> None:
    """Every own number gets one."""
    assert list(texts(planned(tmp_path, "phone,name\n+6581234567,Ann\n")).values()) == ["Hi Ann"] * 3


def senders(plan: FrozenPlan) -> dict[str, str | None]:
    """Whom each number's text is from."""
    return {
        number: chunk.group.sender_id if chunk.group else ""
        for chunk in plan.chunks(0, plan.chunk_count() - 1)
        for number in chunk.phone_numbers
    }


def test_own_numbers_get_the_texts_from_the_rows_senders(tmp_path: Path) -> None:
    """Not from those of their own country, so that a person sees what the recipient sees."""
    plan = planned(tmp_path, sender_id=["SG=Acme", "FR=Bonjour", "GB=Wrong"])
    assert senders(plan) == dict(zip(OWN, ["Acme", "Bonjour", "Acme"], strict=True))


def test_an_own_number_that_is_given_twice_has_text_and_sender_of_one_row(tmp_path: Path) -> None:
    """The first."""
    plan = planned(tmp_path, sender_id=["SG=Acme", "FR=Bonjour"], test_to=[OWN[0], OWN[0], OWN[1]])
    assert senders(plan) == {OWN[0]: "Acme", OWN[1]: "Acme"}
    assert [chunk.messages for chunk in plan.chunks(0, 0)] == [("Hi Ann", "Hi Cy")]


def test_hours_and_canaries_are_not_those_of_a_test(tmp_path: Path) -> None:
    """A tester waits for the text."""
    plan = planned(tmp_path, hours="09:00-10:00", canary=1)
    assert (plan.layout, plan.chunk_count()) == (None, 1)


def test_what_selects_rows_selects_the_texts(tmp_path: Path) -> None:
    """Countries and opt-outs keep rows out of a test as well, never the own numbers."""
    found = texts(planned(tmp_path, deny_country=["SG", "GB"]))
    assert found == dict.fromkeys(OWN, "Hi Bo")


def test_a_list_without_a_sendable_row_has_no_text_to_test(tmp_path: Path) -> None:
    """It says so."""
    with pytest.raises(InputError, match="no row of the lists can be sent"):
        planned(tmp_path, "phone,name\nx,Ann\n")


def test_own_numbers_may_stand_in_a_list(tmp_path: Path) -> None:
    """Which is all that a form may name."""
    path = tmp_path / "own.csv"
    path.write_text("mobile\n+447400999001\n")
    assert texts(planned(tmp_path, test_to=[str(path)])) == {OWN[0]: "Hi Ann"}


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        (["12345"], "too_short|not_a_number|invalid"),
        (["+442079460000"], "not_mobile"),
        (["+8613800138000"], "china_mainland"),
        ([f"+4474009990{number:02}" for number in range(21)], "1 to 20 numbers of your own; there are more than 20"),
    ],
)
def test_an_own_number_that_cannot_be_texted_is_refused_masked(tmp_path: Path, own: list[str], fault: str) -> None:
    """Before anything is planned."""
    with pytest.raises(InputError, match=fault) as caught:
        planned(tmp_path, test_to=own)
    assert not any(number.strip("+") in str(caught.value) for number in own if len(number) > 5)


@pytest.mark.parametrize("given", [["+6581234567", "more.csv"], ["a.csv", "b.csv"], [" "], ["+6581234567", ""]])
def test_a_recipient_list_behind_the_option_is_refused(tmp_path: Path, given: list[str]) -> None:
    """It would be texted as somebody's own numbers."""
    with pytest.raises(InputError, match="--test-to"):
        config_of(tmp_path, test_to=given)


def ids(folder: Path, identities: tuple[str, ...] = ("list 1",), **options: Any) -> str:
    """The id of a test."""
    return config_of(folder, **options).testing([1, 2]).campaign_for(identities)


def test_the_same_test_again_is_the_same_campaign_and_whatever_changes_makes_another(tmp_path: Path) -> None:
    """So nobody gets it twice by accident, and a mended text is sent."""
    same = ids(tmp_path, campaign="c")
    assert same == ids(tmp_path, campaign="c", max_cost=1, prices="p", canary=3, hours="09:00-10:00")
    assert same.startswith("c-test-")
    others = [
        ids(tmp_path, campaign="c", message="Hello {name}"),
        ids(tmp_path, campaign="c", sender_id="Acme"),
        ids(tmp_path, ("list 2",), campaign="c"),
        ids(tmp_path, campaign="d"),
        config_of(tmp_path, campaign="c").testing([1, 3]).campaign_for(("list 1",)),
    ]
    assert len({same, *others}) == 6


def test_a_tests_id_begins_with_the_id_of_the_campaign_that_it_tests(tmp_path: Path) -> None:
    """Also where that is made of settings and lists, and where it is as long as can be."""
    options: dict[str, Any] = {"canary": 5, "hours": "09:00-10:00"}
    real = config_of(tmp_path, test_to=(), **options).campaign_for(("list 1",))
    assert ids(tmp_path, **options).startswith(f"{real}-test-")
    longest = ids(tmp_path, campaign="c" * 100)
    assert len(longest) == 100
    CampaignConfig.checked(recipients="a", message="a", type="OTP", results="o", campaign=longest)


@pytest.mark.parametrize("given", ["+6581234567", ["own.csv", "65 8123 4567"]])
def test_a_number_in_prefects_records_is_refused(given: object) -> None:
    """And not shown."""
    with pytest.raises(InputError, match="Prefect has recorded a phone number") as caught:
        refuse_recorded_numbers({"test_to": given})
    assert "8123" not in str(caught.value)


@pytest.mark.parametrize("given", [None, [], ["s3://b/own.csv"], ["**********"]])
def test_stars_and_places_may_be_recorded(given: object) -> None:
    """That is what the command line and a form leave."""
    refuse_recorded_numbers({"test_to": given})


def test_a_configuration_never_shows_own_numbers() -> None:
    """Not in its repr, its frozen settings, or what Prefect makes of its parameters."""
    config = CampaignConfig.checked(recipients="a", message="a", type="OTP", results="o", test_to=OWN).testing(
        [447400999001]
    )
    shown = f"{config!r} {config.frozen_settings()} {config.parameters()}"
    assert "447400" not in shown
    assert config.parameters()["limits"]["test_to"] == [SecretStr(number) for number in OWN]
