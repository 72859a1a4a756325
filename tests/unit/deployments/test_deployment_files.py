"""The files of the deployments, checked as far as that goes without an engine or a cluster."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import prefect
import pytest
import yaml
from prefect.settings.legacy import _get_settings_fields
from prefect.settings.models.root import Settings

from globe_sms.deployments.deployed_flows import flow_of, schema_of
from globe_sms.deployments.prefect_yaml import SHIPPED, Specification, unknown_parameters
from globe_sms.deployments.work_pools import base_job_template
from globe_sms.tasks.campaign.date_placeholders import fill
from globe_sms.tasks.vocabulary.errors import InputError

DEPLOYMENTS = SHIPPED.resolve().parent
PROJECT = DEPLOYMENTS.parent
PROGRAMS = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text())
VERSION = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]


def run(*command: str | Path) -> None:
    """Run a checker to its end; what it says is the failure."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_clean_by_hadolint() -> None:
    run(PROGRAMS / "hadolint", "--failure-threshold", "style", DEPLOYMENTS / "image" / "Dockerfile")


def test_the_build_context_holds_what_the_image_copies() -> None:
    """Everything is kept out by .dockerignore but what is named there."""
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOYMENTS / "image" / "Dockerfile").read_text(), re.MULTILINE)
    names = {name.partition("/")[0] for line in copied for name in line.split()}
    let_in = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert names == let_in
    assert [name for name in names if not (PROJECT / name).exists()] == []


@pytest.mark.parametrize("name", ["compose.yaml", "compose.sandbox.yaml"])
def test_compose_is_valid_by_the_schema_of_compose_files(name: str, tmp_path: Path) -> None:
    plain = tmp_path / name
    plain.write_text((DEPLOYMENTS / name).read_text().replace("!reset ", ""))  # a tag that the checker doesn't know
    run(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", plain)


def test_compose_keeps_leases_and_the_work_of_services_outside_of_memory() -> None:
    """In memory, a restart loses slots for ever, and two processes of services schedule everything twice."""
    for service in ("migrate", "server", "services"):
        environment = COMPOSE["services"][service]["environment"]
        assert environment["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"] == "prefect_redis.lease_storage"
        assert environment["PREFECT_SERVER_DOCKET_URL"].startswith("redis://")
        assert environment["PREFECT_API_DATABASE_CONNECTION_URL"].startswith("postgresql+asyncpg://")


def test_every_prefect_setting_in_the_files_is_one() -> None:
    """A misspelt variable is ignored without a word."""
    known = set(_get_settings_fields(Settings))
    text = "".join((DEPLOYMENTS / name).read_text() for name in ("compose.yaml", "kubernetes/worker.yaml"))
    used = set(re.findall(r"\bPREFECT_[A-Z_]+\b", text))
    ours = {"PREFECT_AUTH_STRING", "PREFECT_PORT"}  # of compose.env.example
    integrations = {name for name in used if name.startswith(("PREFECT_REDIS_", "PREFECT_INTEGRATIONS_"))}
    assert used - ours - integrations <= known
    assert integrations == {
        "PREFECT_REDIS_MESSAGING_URL",
        "PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES",
        "PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_AUTH_STRING_SECRET_NAME",
        "PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_AUTH_STRING_SECRET_KEY",
    }


@pytest.mark.parametrize("manifest", ["worker.yaml", "receipts.yaml"])
def test_the_kubernetes_manifests_are_valid(manifest: str) -> None:
    run(PROGRAMS / "kubernetes-validate", "--strict", DEPLOYMENTS / "kubernetes" / manifest)


@pytest.mark.parametrize("pool_type", ["process", "docker", "kubernetes"])
def test_a_work_pools_template_uses_the_variables_that_it_has(pool_type: Any) -> None:
    template = base_job_template(pool_type, _worker_metadata())
    used = set(re.findall(r"{{ (\w+) }}", str(template["job_configuration"])))
    assert used <= template["variables"]["properties"].keys()


def test_a_run_in_kubernetes_has_time_to_end_and_no_rights(tmp_path: Path) -> None:
    """The job that a worker makes of the template, with its variables filled in, is valid too."""
    template = base_job_template("kubernetes", _worker_metadata())
    defaults = {name: field.get("default") for name, field in template["variables"]["properties"].items()}
    given = {
        "env": [{"name": "A", "value": "b"}],
        "labels": {"a": "b"},
        "name": "run",
        "command": ["prefect", "flow-run", "execute"],
        "image": "globe-sms:0.1.0",
        "service_account_name": "default",
        "cpu_limit": "1",
    }
    manifest = _filled(template["job_configuration"]["job_manifest"], {**defaults, **given})
    pod = manifest["spec"]["template"]["spec"]
    for name in ("parallelism", "completions"):
        pod.pop(name, None)  # Prefect's own template has them a level too deep; Kubernetes ignores them there
    assert pod["terminationGracePeriodSeconds"] >= 45
    assert pod["automountServiceAccountToken"] is False
    manifest["metadata"]["name"] = manifest["metadata"].pop("generateName") + "1"  # as the cluster does
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(manifest))
    run(PROGRAMS / "kubernetes-validate", "--strict", path)


def test_the_shipped_deployments_fit_the_flow() -> None:
    """Names of parameters, values by their types, placeholders, version."""
    specs = Specification.read().deployments
    assert {spec.name: flow_of(spec).name for spec in specs} == {
        **dict.fromkeys(["scheduled", "manual", "ad-hoc"], "send-campaign"),
        "try-it": "try-campaign",
        "resend-unknown": "resend-unknown",
        "explain-number": "explain-number",
        "test-connection": "check-account",
        "hourly": "track-delivery",
    }
    for spec in specs:
        assert unknown_parameters(spec, schema_of(flow_of(spec))) == []
        assert spec.version == VERSION
        assert spec.concurrency_limit is not None
        assert spec.concurrency_limit.limit == 1
        assert "message" not in spec.parameters, "a text that nobody has written must not be sent"
    scheduled = specs[0]
    for spec in (scheduled, specs[-1]):
        assert [schedule.active for schedule in spec.schedules] == [False]
        timing = spec.parameters.get("timing", spec.parameters)
        assert {schedule.timezone for schedule in spec.schedules} == {timing["time_zone"]}
        assert spec.parameters["campaign"] == "daily-{date}"
    at = datetime(2026, 11, 24, tzinfo=UTC)
    assert fill(scheduled.parameters["campaign"], at) == "daily-2026-11-24"
    assert "2026-11-24" in fill(scheduled.parameters["recipients"][0], at)
    assert specs[1].parameters["approve_above"] == 0


def test_every_deployment_says_what_it_is_what_to_fill_in_and_what_happens_then() -> None:
    """And names fields by the titles that its form shows."""
    for spec in Specification.read().deployments:
        schema = schema_of(flow_of(spec))
        titles = {name: field.get("title") for name, field in schema["properties"].items()}
        what, fill_in, *then = spec.description.split("\n\n")
        assert what.startswith("**")
        assert fill_in.startswith("**Fill in** ")
        assert then[0].startswith("**Then** ")
        named = {" ".join(found.split()) for found in re.findall(r"(?<!\*)\*([A-Z][\w\s]+?)\*(?!\*)", fill_in)}
        assert named - {"Custom run"} <= set(titles.values())
        required = {titles[name] for name in schema.get("required", ()) if name not in spec.parameters}
        assert required <= named or "the fields of the campaign" in fill_in


def test_the_forms_of_campaigns_begin_with_what_is_required() -> None:
    """A title has the name that Prefect's message has: 'recipients' is a required property."""
    for name in ("manual", "ad-hoc", "scheduled", "try-it"):
        (spec,) = (spec for spec in Specification.read().deployments if spec.name == name)
        schema = schema_of(flow_of(spec), scheduled=bool(spec.schedules))
        assert schema["required"] == ["recipients", "campaign", "message", "type", "results"]
        for place, field in enumerate(schema["required"]):
            assert schema["properties"][field]["position"] == place
            assert field in schema["properties"][field]["title"].lower()
        timing = schema.get("definitions", {}).get("Timing", {}).get("properties", {})
        assert ("latest_start_minutes" in timing) == (name == "scheduled")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("", "can't be read|doesn't describe deployments"),
        ("deployments: [{name: a}]", r"deployments\.a\.entrypoint"),
        ("deployments: []", "at least 1"),
        ("deployments: [{name: a, entrypoint: x, work_pool: {name: p}, retries: 3}]", r"a\.retries"),
        (
            "deployments: [{name: a, entrypoint: x, work_pool: {name: p}, schedules: [{cron: x, timezone: Mars}]}]",
            "Mars",
        ),
        ("{", "can't be read"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_its_place(tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_text(change)
    with pytest.raises(InputError, match=message):
        Specification.read(path)


def _worker_metadata() -> Mapping[str, Any]:
    views = Path(prefect.__file__).parent / "server" / "api" / "collections_data" / "views"
    return json.loads((views / "aggregate-worker-metadata.json").read_text())


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        filled = {key: _filled(entry, variables) for key, entry in value.items()}
        return {key: entry for key, entry in filled.items() if entry is not None}
    if isinstance(value, list):
        return [_filled(entry, variables) for entry in value]
    if isinstance(value, str) and (whole := re.fullmatch(r"{{ (\w+) }}", value)):
        return variables[whole.group(1)]
    if isinstance(value, str):
        return re.sub(r"{{ (\w+) }}", lambda found: str(variables[found.group(1)]), value)
    return value
