"""Whether a run is recorded is decided as Prefect would, without importing it."""

import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings.models.root import Settings

from globe_sms.flows.server_address import names_server
from globe_sms.tasks.vocabulary.errors import InputError

URL = "http://127.0.0.1:4200/api"
PROFILES = f"""
active = "here"
[profiles.here]
PREFECT_LOGGING_LEVEL = "INFO"
[profiles.there]
PREFECT_API_URL = "{URL}"
"""


@pytest.mark.parametrize(
    ("files", "environment", "is_set"),
    [
        ({}, {}, False),
        ({}, {"PREFECT_API_URL": URL}, True),
        ({}, {"prefect_api_url": URL}, True),
        ({}, {"PREFECT_API_URL": ""}, False),
        ({"home/profiles.toml": PROFILES}, {}, False),
        ({"home/profiles.toml": PROFILES}, {"PREFECT_PROFILE": "there"}, True),
        ({"home/profiles.toml": PROFILES}, {"PREFECT_PROFILE": "nowhere"}, False),
        ({"home/profiles.toml": PROFILES.replace('"here"', '"there"')}, {}, True),
        ({"home/profiles.toml": PROFILES.replace('"here"', '"there"')}, {"PREFECT_PROFILE": "here"}, False),
        ({"home/profiles.toml": PROFILES.replace('"here"', '"there"')}, {"PREFECT_API_URL": ""}, False),
        ({"other.toml": PROFILES}, {"PREFECT_PROFILES_PATH": "other.toml", "PREFECT_PROFILE": "there"}, True),
        ({".env": f"export PREFECT_API_URL='{URL}' # ours"}, {}, True),
        ({".env": "PREFECT_API_URL=", "prefect.toml": f'api.url = "{URL}"'}, {}, False),
        ({".env": "# PREFECT_API_URL=http://x/api\nPREFECT_API_KEY=k"}, {}, False),
        ({"prefect.toml": f'[api]\nurl = "{URL}"'}, {}, True),
        ({"prefect.toml": '[api]\nkey = "k"'}, {}, False),
        ({"pyproject.toml": f'[tool.prefect.api]\nurl = "{URL}"'}, {}, True),
        ({"pyproject.toml": f'[tool.prefect]\napi.url = "{URL}"'}, {}, True),
        ({"pyproject.toml": f'[tool.other.api]\nurl = "{URL}"'}, {}, False),
    ],
)
def test_a_server_is_set_where_prefect_says_so(
    files: dict[str, str],
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_set: bool,
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    environment = {"PREFECT_HOME": str(tmp_path / "home"), **environment}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert names_server(environment) is is_set
    assert bool(Settings().api.url) is is_set


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "prefect.toml").write_text("api.url = ")
    with pytest.raises(InputError, match=r"prefect\.toml isn't a TOML file, and may name a Prefect server"):
        names_server({"PREFECT_HOME": str(tmp_path)}, tmp_path)


def test_the_command_line_and_the_run_import_nothing_of_prefect() -> None:
    """Nor what only some campaigns need: S3's client, charts, the server's frameworks."""
    heavy = ("prefect", "boto3", "sqlalchemy", "fastapi", "alibabacloud_credentials")
    program = (
        "import sys, globe_sms.deployments.commands, globe_sms.flows.without_server, globe_sms.flows.send_from_python\n"
        f"print(*(name for name in {heavy} if name in sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == []
