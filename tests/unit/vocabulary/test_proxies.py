"""A proxy in the environment doesn't reach loopback."""

from urllib.request import proxy_bypass_environment

import httpx
import pytest

from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.proxies import keep_off_loopback

PROXY = "http://127.0.0.1:9"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("before", [{}, {"NO_PROXY": "a.test, b.test"}, {"no_proxy": "a.test", "NO_PROXY": "b.test"}])
def test_loopback_is_exempt_beside_what_was(name: str, before: dict[str, str]) -> None:
    """In both spellings, which clients read differently."""
    environ = {name: PROXY, **before}
    keep_off_loopback(environ)
    assert environ["NO_PROXY"] == environ["no_proxy"]
    for host in ("127.0.0.1", "localhost", "::1"):
        assert proxy_bypass_environment(host, {"no": environ["no_proxy"]})
    assert not proxy_bypass_environment("s3.test", {"no": environ["no_proxy"]})
    assert proxy_bypass_environment("b.test", {"no": environ["no_proxy"]}) or "NO_PROXY" not in before


def test_without_a_proxy_nothing_is_set() -> None:
    """And a NO_PROXY for all hosts stays."""
    environ: dict[str, str] = {"NO_PROXY": "x.test"}
    keep_off_loopback(environ)
    assert environ == {"NO_PROXY": "x.test"}
    environ = {"HTTP_PROXY": PROXY, "no_proxy": "*"}
    keep_off_loopback(environ)
    assert environ["NO_PROXY"] == environ["no_proxy"] == "*"


def test_the_client_of_prefect_reaches_loopback_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is httpx's, which reads the environment."""
    environ = {"HTTP_PROXY": PROXY, "http_proxy": PROXY}
    keep_off_loopback(environ)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    with httpx.Client() as client:
        for host in ("127.0.0.1", "localhost"):
            assert client._transport_for_url(httpx.URL(f"http://{host}:4200/api")) is client._transport  # pyright: ignore[reportPrivateUsage] - nothing else tells without a request
        assert client._transport_for_url(httpx.URL("http://s3.test/")) is not client._transport  # pyright: ignore[reportPrivateUsage]


def test_boto3_reaches_an_s3_server_on_loopback_without_the_proxy(
    s3_access: S3Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody has set NO_PROXY, as in a worker."""
    del s3_access  # its environment points to the server
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("http_proxy", PROXY)
    assert S3Access.from_environment().client().list_objects_v2(Bucket="tests", MaxKeys=1)
