"""Why there's no answer is said in words; the network's are those of real sockets."""

import http.client
import socket
from collections.abc import Callable

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from prefect.exceptions import PrefectHTTPStatusError

from globe_sms.deployments.sandbox.child_process import free_ports
from globe_sms.tasks.vocabulary.network_faults import network_fault


def _refused() -> None:
    httpx.get(f"http://127.0.0.1:{free_ports(1)[0]}", trust_env=False)


def _silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        httpx.get(f"http://127.0.0.1:{server.getsockname()[1]}", trust_env=False, timeout=0.05)


def _not_a_url() -> None:
    httpx.get("ftp://127.0.0.1", trust_env=False)


def _over_its_cause() -> None:
    try:
        _refused()
    except httpx.ConnectError as error:
        raise RuntimeError("Failed to reach API at http://user:password@prefect/") from error


def _bad_status() -> None:
    request = httpx.Request("GET", "http://prefect/api")
    error = httpx.HTTPStatusError("no", request=request, response=httpx.Response(503, request=request))
    raise PrefectHTTPStatusError.from_httpx_error(error)


def _raises(error: Exception) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        (_refused, "connection refused"),
        (_over_its_cause, "connection refused"),
        (_silent, "no answer in time"),
        (_not_a_url, "its URL isn't valid"),
        (_bad_status, "HTTP 503"),
        (_raises(ConnectionResetError(104, "reset")), "the connection broke"),
        (_raises(TimeoutError()), "no answer in time"),
        (_raises(socket.gaierror(-2, "unknown")), "the name of the host is unknown"),
        (_raises(EndpointConnectionError(endpoint_url="http://secret")), "no connection"),
        (_raises(ReadTimeoutError(endpoint_url="http://secret")), "no answer in time"),
        (_raises(http.client.IncompleteRead(b"")), "the connection broke"),
        (_raises(RuntimeError("secret")), "RuntimeError"),
    ],
)
def test_a_fault_is_said_in_words(fails: Callable[[], None], words: str) -> None:
    """Only what nobody foresaw keeps the name of its class; nothing of the request is quoted."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # each is another
        fails()
    assert network_fault(caught.value) == words
