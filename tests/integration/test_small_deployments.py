"""The deployments with a few fields: they spare people a terminal."""

import sqlite3
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.blocks.system import Secret
from pydantic import SecretStr

from globe_sms.deployments.sandbox.sandbox import Sandbox
from globe_sms.flows.check_account import check_account
from globe_sms.flows.explain_number import explain_number
from globe_sms.flows.resend_unknown import resend_unknown
from globe_sms.flows.try_campaign import try_campaign
from tests.integration.deployed_run import Deployed
from tests.unit.recipients.databases import sqlite_database

pytestmark = [
    pytest.mark.slow,
    # Prefect's harness and its server leave sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("in_sandbox"),
]


@pytest.fixture
def config(config: dict[str, Any], sandbox: Sandbox) -> dict[str, Any]:
    """The campaign, with results that outlive the run's process."""
    return {**config, "results": f"s3://{sandbox.bucket}/{config['campaign']}"}


@pytest.fixture
def fields(config: dict[str, Any]) -> dict[str, Any]:
    """What the form of try-it has of the campaign."""
    return {name: config[name] for name in ("recipients", "campaign", "message", "type", "results")}


def test_a_campaign_is_tried_and_then_sent_under_the_same_id(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], fields: dict[str, Any]
) -> None:
    """Nothing is called and nothing is frozen: the campaign that is sent has another text."""
    run = Deployed(api, flow=try_campaign, **fields)
    assert run.run() == "Completed"
    assert sandbox.gateway.stats().calls == 0
    assert f"{config['campaign']}-page" in run.artifacts()
    assert Deployed(api, **{**config, "message": "Another text"}).run() == "Completed"
    assert sandbox.gateway.stats().accepted_numbers == 30


def test_a_query_is_asked_by_the_name_of_a_secret_and_its_approved_rows_are_sent(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], fields: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing that Prefect records has the database's URI; a row that comes while somebody is asked isn't sent."""
    database = sqlite_database(tmp_path, [("+6581234561", "Anna", 1), ("+6581234562", "Bert", 2)])
    name = f"members-{config['campaign']}"
    Secret(value=SecretStr(database.uri)).save(name)
    asked = {"recipients": [], "query": "select phone, name from members", "connection": name}
    assert Deployed(api, flow=try_campaign, **fields | asked).run() == "Completed"
    run = Deployed(api, **config | asked, approve_above=0)
    assert run.run() == "Suspended"
    with sqlite3.connect(tmp_path / "members.sqlite") as connection:
        connection.execute("insert into members values ('+6581234563', 'Cleo', 3)")
    connection.close()
    assert run.approve() == "Completed"
    assert sandbox.gateway.stats().accepted_numbers == 2
    assert "members.sqlite" not in str(api.post("/flow_runs/filter", json={}).json())


def test_a_test_goes_to_own_numbers_only(
    sandbox: Sandbox, api: httpx.Client, fields: dict[str, Any], tmp_path: Path
) -> None:
    """Their list is named; a number in the field is refused, and isn't repeated."""
    own = tmp_path / "own.csv"
    own.write_text("phone\n6591234567\n")
    assert Deployed(api, flow=try_campaign, **fields, test_to=[str(own)]).run() == "Completed"
    assert [list(arrival.numbers) for arrival in sandbox.gateway.log()] == [["6591234567"]]
    typed = Deployed(api, flow=try_campaign, **fields, test_to=["+6591234567"])
    assert typed.run() == "Failed"
    assert typed.state["message"].startswith("Test numbers: ")
    assert "1234567" not in typed.state["message"]


def test_unknown_rows_are_resent_with_the_settings_of_the_last_run(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], tmp_path: Path
) -> None:
    """Two fields are enough, and somebody who has opted out since then isn't texted."""
    out = tmp_path / "out.csv"
    out.write_text("phone\n")
    sandbox.gateway.add_fault("accept_then_drop")
    assert Deployed(api, **config, suppress=[str(out)]).run() == "CompletedWithUnknown"
    sandbox.gateway.reset()
    out.write_text("phone\n6581234507\n")
    place = {"campaign": config["campaign"], "results": config["results"] + "/"}
    run = Deployed(api, flow=resend_unknown, **place)
    assert run.run() == "Completed"
    assert "29 accepted" in run.state["message"]
    assert sandbox.gateway.stats().accepted_numbers == 29


def test_a_campaign_that_this_server_does_not_know_is_not_resent(api: httpx.Client, config: dict[str, Any]) -> None:
    """The message says which field to look at, and how to do it otherwise."""
    run = Deployed(api, flow=resend_unknown, campaign="unheard-of", results=config["results"])
    assert run.run() == "Failed"
    assert run.state["message"].startswith("Campaign ID: this Prefect server has no run that sent 'unheard-of'")


def test_a_number_is_explained_without_being_recorded(api: httpx.Client, config: dict[str, Any]) -> None:
    """It comes from a Secret block; the page masks it."""
    assert Deployed(api, **config).run() == "Completed"
    block = Secret(value=SecretStr("+65 8123 4507")).save(f"number-{uuid.uuid4().hex[:8]}")
    run = Deployed(api, flow=explain_number, number={"$ref": str(block)}, results=config["results"])
    assert run.run() == "Completed"
    page = run.artifacts()["explained-number"]
    assert "accepted" in page
    assert "4507" in page
    assert "81234507" not in str(run.artifacts()) + str(run.state)


def test_the_connection_is_tested_without_sending(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each check; one that fails fails the run, and its message says what to do."""
    run = Deployed(api, flow=check_account, results=config["results"])
    assert run.run() == "Completed"
    page = run.artifacts()["checked-account"]
    assert page.count("✓") == 3
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "another")
    refused = Deployed(api, flow=check_account, results=config["results"])
    assert refused.run() == "Failed"
    assert refused.state["message"].startswith("Gateway and key: ")
    assert sandbox.gateway.stats().accepted_numbers == 0


@pytest.mark.parametrize(
    ("wrong", "begins"),
    [
        ({"default_region": "XX"}, "Region of local numbers: there is no region 'XX'"),
        ({"campaign": ""}, "Campaign ID: it's empty"),
        ({"time_zone": "Mars/Phobos"}, "Time zone 'Mars/Phobos': "),
        ({"account": "nobody"}, "Account 'nobody': "),
    ],
)
def test_a_refused_run_begins_with_the_field_that_is_wrong(
    sandbox: Sandbox, api: httpx.Client, config: dict[str, Any], wrong: dict[str, Any], begins: str
) -> None:
    """In the words of the form, without an exception's name and without an option of the terminal."""
    run = Deployed(api, **{**config, **wrong})
    assert run.run() == "Failed"
    message = run.state["message"]
    assert message.startswith(begins), message
    assert "--" not in message
    assert sandbox.gateway.stats().calls == 0
