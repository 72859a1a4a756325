"""The default credential chain: quick, quiet, and clear about missing credentials.

The chain's library reads its variables when it is imported, so those tests run in processes of their own. The ECS
metadata service is switched off in all of them: tests speak to loopback only.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from tcp_server import Serve, Server, answer_with, http_answer, read_request

from globe_sms.tasks.gateway import Credentials, credentials_from_default_chain, fingerprint
from globe_sms.tasks.vocabulary.errors import InputError
from tests.waiting import LONGEST_WAIT

ROOT = Path(__file__).parents[3]
ASK = "from globe_sms.tasks.gateway import credentials_from_default_chain as ask\n"
REPORT = (
    "from globe_sms.tasks.vocabulary.errors import InputError\n"
    "try:\n    ask({})\nexcept InputError as error:\n    print(error)\n"
)


def _run(code: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code with only these variables as a source of credentials."""
    kept = {name: value for name, value in os.environ.items() if "ALIBABA" not in name and "proxy" not in name.lower()}
    environment = kept | {"HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"} | variables
    return subprocess.run(
        [sys.executable, "-c", ASK + code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST_WAIT,
    )


def test_a_key_in_the_environment_is_used_without_loading_the_chain(tmp_path: Path) -> None:
    """Neither files nor the network are read: the library that would do so isn't even imported."""
    done = _run(
        "found = ask()()\nimport sys\n"
        "print(found.access_key_id, found.secret.get_secret_value(), found.token)\n"
        "print([name for name in sys.modules if 'alibabacloud' in name or 'apscheduler' in name])",
        tmp_path,
        ALIBABA_CLOUD_ACCESS_KEY_ID="key",
        ALIBABA_CLOUD_ACCESS_KEY_SECRET="secret",
    )
    assert done.stdout == "key secret None\n[]\n"
    assert done.stderr == ""


def test_a_temporary_key_comes_with_its_token() -> None:
    """All three variables make an STS key."""
    environ = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.key",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
    }
    found = credentials_from_default_chain(environ=environ)()
    assert (found.access_key_id, found.token) == ("STS.key", SecretStr("token"))


@pytest.mark.parametrize("present", ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
def test_half_a_key_is_an_error_at_once(present: str) -> None:
    """Trying another source could send from another account."""
    with pytest.raises(InputError, match=f"^{present} is set, but .* isn't: set both$") as caught:
        credentials_from_default_chain(environ={present: "hidden"})
    assert "hidden" not in str(caught.value)


def test_without_credentials_one_line_says_what_to_set(tmp_path: Path) -> None:
    """The library's own tracebacks don't appear."""
    done = _run(REPORT.format(""), tmp_path)
    assert done.stdout == (
        "no Alibaba Cloud credentials were found: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET "
        "(for a temporary key also ALIBABA_CLOUD_SECURITY_TOKEN), or any other source of Alibaba Cloud's default "
        "credential chain\n"
    )
    assert done.stderr == ""


def test_a_configured_source_that_fails_is_named(tmp_path: Path) -> None:
    """Otherwise the operator looks in the wrong place."""
    done = _run(REPORT.format(""), tmp_path, ALIBABA_CLOUD_CREDENTIALS_FILE=str(tmp_path / "none.ini"))
    assert "were found (though ALIBABA_CLOUD_CREDENTIALS_FILE is set): set" in done.stdout
    assert done.stderr == ""


def test_a_source_that_answers_with_an_error_stays_quiet(tmp_path: Path, serve: Serve) -> None:
    """On its own the library logs each failed refresh with a traceback."""
    server = serve(answer_with(http_answer(b"no", status="404 Not Found")))
    uri = f"http://127.0.0.1:{server.port}/key"
    done = _run(REPORT.format(""), tmp_path, ALIBABA_CLOUD_CREDENTIALS_URI=uri)
    assert "were found (though ALIBABA_CLOUD_CREDENTIALS_URI is set): set" in done.stdout
    assert done.stderr == ""


def test_a_source_that_does_not_answer_times_out(tmp_path: Path, serve: Serve) -> None:
    """Within the given time, whatever the providers' own timeouts are."""

    def hang(connection: socket.socket, server: Server) -> None:
        read_request(connection)
        server.finished.wait(10)

    server = serve(hang)
    try:
        done = _run(
            REPORT.format("seconds=0.5") + "import os, sys\nsys.stdout.flush()\nos._exit(0)",
            tmp_path,
            ALIBABA_CLOUD_CREDENTIALS_URI=f"http://127.0.0.1:{server.port}/key",
        )
    finally:
        server.finished.set()
    assert done.stdout.startswith("Alibaba Cloud's credential chain didn't answer within 0.5 s: set ")


def test_keys_from_a_credentials_file_are_found(tmp_path: Path) -> None:
    """The chain's third and fourth sources work."""
    file = tmp_path / "credentials.ini"
    file.write_text("[default]\ntype = access_key\naccess_key_id = from-file\naccess_key_secret = secret\n")
    done = _run("print(ask()().access_key_id)", tmp_path, ALIBABA_CLOUD_CREDENTIALS_FILE=str(file))
    assert done.stdout == "from-file\n"


def test_a_temporary_key_is_refreshed_while_it_is_used(tmp_path: Path, serve: Serve) -> None:
    """A campaign can outlive its first token."""

    def give_a_key(connection: socket.socket, server: Server) -> None:
        server.arrived.append(read_request(connection))
        soon = datetime.now(UTC) + timedelta(minutes=10)  # the library refreshes a token with less than 15 minutes left
        key = {
            "Code": "Success",
            "AccessKeyId": f"STS.{len(server.arrived)}",
            "AccessKeySecret": "secret",
            "SecurityToken": "token",
            "Expiration": soon.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        connection.sendall(http_answer(json.dumps(key).encode(), headers=("connection: close",)))

    server = serve(give_a_key)
    done = _run(
        "source = ask()\nfirst, second = source(), source()\n"
        "print(first.access_key_id != second.access_key_id, second.token is not None)",
        tmp_path,
        ALIBABA_CLOUD_CREDENTIALS_URI=f"http://127.0.0.1:{server.port}/key",
    )
    assert done.stdout == "True True\n"


def _fingerprint(key: str, *, token: bool = False, **environ: str) -> str:
    return fingerprint(Credentials(key, SecretStr("s"), SecretStr("t") if token else None), environ=environ)


def test_the_fingerprint_is_12_hex_digits_that_do_not_show_the_key() -> None:
    """It becomes part of an object's key."""
    assert _fingerprint("LTAI5tExample") == hashlib.sha256(b"LTAI5tExample").hexdigest()[:12]
    assert _fingerprint("a") != _fingerprint("b")


def test_one_account_name_joins_all_keys() -> None:
    """The limit is the account's: two keys, or two sessions, must share one schedule."""
    assert _fingerprint("a", GLOBE_SMS_ACCOUNT="5123") == _fingerprint("b", token=True, GLOBE_SMS_ACCOUNT=" 5123 ")


def test_sessions_of_a_role_share_its_account() -> None:
    """The role's ARN contains the account's number, which stays the same across sessions."""
    role = {"ALIBABA_CLOUD_ROLE_ARN": "acs:ram::5123:role/sms"}
    assert _fingerprint("STS.a", token=True, **role) == _fingerprint("STS.b", token=True, **role)
    assert _fingerprint("STS.a", token=True, **role) == _fingerprint("x", GLOBE_SMS_ACCOUNT="5123")


def test_a_role_does_not_name_the_account_of_a_fixed_key() -> None:
    """The chain uses the key before the role."""
    assert _fingerprint("a", ALIBABA_CLOUD_ROLE_ARN="acs:ram::5123:role/sms") == _fingerprint("a")
