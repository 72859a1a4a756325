"""A Prefect server that is set and does not answer is a setting to mend, found before anything is sent."""

import http.server
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.flows.command_line.prefect_server_check import check_home, check_server, check_server_url
from globe_sms.tasks.vocabulary.errors import InputError

NOBODY = "http://127.0.0.1:9/api"


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://host/api", "http://[", "http://", "127.0.0.1:4200/api", "http://h:99999/api"]
)
def test_what_is_no_url_is_told_before_prefect_sees_it(url: str) -> None:
    """And not repeated: a secret may have been pasted there."""
    with pytest.raises(InputError) as raised:
        check_server_url({"PREFECT_API_URL": url})
    assert str(raised.value) == (
        "PREFECT_API_URL isn't an http:// or https:// URL: write it like http://127.0.0.1:4200/api, or unset it. "
        "Nothing was sent."
    )


@pytest.mark.parametrize("url", [None, "", "http://127.0.0.1:4200/api", "https://prefect.example.com/api"])
def test_no_address_and_a_good_one_pass(url: str | None) -> None:
    """Whether somebody answers there is asked later."""
    check_server_url({} if url is None else {"PREFECT_API_URL": url})


def test_a_home_of_prefects_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    """Before Prefect waits for a server that can't start; with a server, or a profile, no folder is needed."""
    (tmp_path / "file").write_text("")
    home = tmp_path / "file" / "home"
    with pytest.raises(InputError, match=rf"^Prefect's folder {home} can't be written .*: set PREFECT_HOME"):
        check_home({"PREFECT_HOME": str(home)})
    check_home({"PREFECT_HOME": str(home), "PREFECT_API_URL": NOBODY})
    check_home({"PREFECT_HOME": str(tmp_path / "new")})
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize("proxy", ["", "http://proxy:3128"])
def test_a_server_that_does_not_answer_may_need_no_proxy(proxy: str) -> None:
    """Which is said where a proxy is set."""
    with temporary_settings({PREFECT_API_URL: NOBODY}), pytest.raises(InputError) as raised:
        check_server({"PREFECT_API_URL": NOBODY, "HTTPS_PROXY": proxy})
    assert ("NO_PROXY" in str(raised.value)) is bool(proxy)


@pytest.fixture
def another_server() -> Generator[str]:
    """A web server that is not Prefect's."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://user:pass-word@127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()


def test_a_server_that_is_not_prefects_is_named_without_its_password(another_server: str) -> None:
    """What to check, and how to do without it."""
    with (
        temporary_settings({PREFECT_API_URL: another_server}),
        pytest.raises(InputError, match=r"doesn't answer: check.*unset PREFECT_API_URL.*Nothing was sent") as raised,
    ):
        check_server({"PREFECT_API_URL": another_server})
    assert "pass-word" not in str(raised.value)
    assert another_server.partition("@")[2] in str(raised.value)


@pytest.mark.parametrize("in_environment", [True, False])
def test_doing_without_is_offered(*, in_environment: bool) -> None:
    """A profile's address is unset by Prefect's own command."""
    environ = {"PREFECT_API_URL": NOBODY} if in_environment else {}
    with temporary_settings({PREFECT_API_URL: NOBODY}), pytest.raises(InputError) as raised:
        check_server(environ)
    said = str(raised.value)
    assert "to run without a server" in said
    assert ("prefect config unset" in said) is not in_environment


def test_nothing_is_asked_where_no_server_is_set() -> None:
    """The demo's, which Prefect starts itself."""
    with temporary_settings({PREFECT_API_URL: None}):
        check_server({})


@pytest.mark.parametrize("url", ["nonsense", NOBODY])
def test_send_ends_with_exit_2_and_one_line(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left behind in the results."""
    path = tmp_path / "list.csv"
    path.write_text("phone\n+6581234567\n")
    monkeypatch.setenv("PREFECT_API_URL", url)
    results = tmp_path / "out"
    arguments = ["send", str(path), "--message", "Hi", "--type", "OTP", "--results", str(results), "--dry-run"]
    with temporary_settings({PREFECT_API_URL: url}):
        assert run_app(make_app(), arguments) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("globe-sms: ")]
    assert "PREFECT_API_URL" in said[-1]
    assert "should not have happened" not in "".join(said)
    assert not list(results.rglob("campaign.json"))
