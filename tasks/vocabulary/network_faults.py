"""Why no answer came over the network, in words: libraries say it with the name of a class."""

import socket
import ssl
from collections.abc import Iterator
from typing import Any, Final, cast

_MOST_CAUSES: Final = 10
# By name, since they are those of httpx, urllib3, botocore and Prefect, and most runs import only some of these.
_WORDS: Final = {
    "ProxyError": "the proxy refused",
    "ProxyConnectionError": "the proxy can't be reached",
    "ConnectTimeout": "no connection in time",
    "ConnectTimeoutError": "no connection in time",
    "PoolTimeout": "no connection in time",
    "ReadTimeout": "no answer in time",
    "ReadTimeoutError": "no answer in time",
    "WriteTimeout": "no answer in time",
    "TimeoutError": "no answer in time",
    "ConnectError": "no connection",
    "EndpointConnectionError": "no connection",
    "SSLError": "no secure connection",
    "InvalidURL": "its URL isn't valid",
    "UnsupportedProtocol": "its URL isn't valid",
    "LocalProtocolError": "its URL, or a header, isn't valid",
    "ConnectionError": "the connection broke",
    "ReadError": "the connection broke",
    "WriteError": "the connection broke",
    "CloseError": "the connection broke",
    "RemoteProtocolError": "the connection broke, or it isn't HTTP",
    "ConnectionClosedError": "the connection broke",
    "ResponseStreamingError": "the connection broke",
    "ProtocolError": "the connection broke",
    "IncompleteReadError": "the connection broke",
    "IncompleteRead": "the connection broke",
    "TooManyRedirects": "it redirects in circles",
    "DecodingError": "its answer can't be decoded",
}


def network_fault(error: BaseException) -> str:
    """Return a few words that say why there's no answer, to be put in brackets; quotes nothing of the request.

    What the operating system said counts first, then the library's kind. An error that nobody foresaw keeps the name of
    its class, for a bug report.
    """
    chain = list(_chain(error))
    for kinds, words in _OF_THE_SYSTEM:
        if any(isinstance(each, kinds) for each in chain):
            return words
    status = next((code for each in chain if (code := _status(each))), None)
    if status is not None:
        return f"HTTP {status}"
    names = (kind.__name__ for each in chain for kind in type(each).__mro__)
    return next((_WORDS[name] for name in names if name in _WORDS), type(error).__name__)


_OF_THE_SYSTEM: Final = (
    (socket.gaierror, "the name of the host is unknown"),
    (ConnectionRefusedError, "connection refused"),
    (ssl.SSLCertVerificationError, "its certificate isn't trusted"),
)


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if following is None:
            return
        yield following
        following = following.__cause__ or following.__context__


def _status(error: BaseException) -> int | None:
    status = getattr(cast("Any", getattr(error, "response", None)), "status_code", None)
    return status if isinstance(status, int) else None
