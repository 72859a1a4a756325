"""Alibaba's signature V3 (ACS3-HMAC-SHA256), for httpx.

Source: https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote

import httpx
from pydantic import SecretStr

from globe_sms.tasks.vocabulary.errors import InputError

ALGORITHM: Final = "ACS3-HMAC-SHA256"

_LONG_ENOUGH_TO_SHOW_A_PART: Final = 12


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """An access key for signing requests; `repr` shows at most the start of the access key ID.

    Attributes:
        access_key_id: identifies the key; sent with every request.
        secret: signs requests; never sent.
        token: the security token of a temporary (STS) key, otherwise None.

    Raises:
        InputError: a part is empty, or contains a space, a line break or another invalid character.
    """

    access_key_id: str
    secret: SecretStr
    token: SecretStr | None = None

    def __post_init__(self) -> None:
        parts = {"access key ID": self.access_key_id, "access key secret": self.secret.get_secret_value()}
        if self.token is not None:
            parts["security token"] = self.token.get_secret_value()
        for name, value in parts.items():
            if not value:
                raise InputError(f"the Alibaba Cloud {name} is empty")
            if not value.isascii() or not value.isprintable() or " " in value:
                raise InputError(
                    f"the Alibaba Cloud {name} contains a space, a line break or an invalid character: copy it again"
                )

    def __repr__(self) -> str:
        shown = self.access_key_id[:4] if len(self.access_key_id) >= _LONG_ENOUGH_TO_SHOW_A_PART else ""
        return f"Credentials(access_key_id='{shown}••••', temporary={self.token is not None})"


CredentialsSource = Callable[[], Credentials]
"""Returns the credentials that are valid now; called once per request."""


def utc_now() -> datetime:
    """Return this machine's time in UTC."""
    return datetime.now(UTC)


def random_nonce() -> str:
    """Return 128 random bits in hex, so that no two requests share a nonce."""
    return secrets.token_hex(16)


def authorization(
    *,
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    payload_sha256: str,
    credentials: Credentials,
) -> str:
    """Return the `Authorization` header for exactly these inputs.

    Args:
        method: the HTTP method in upper case.
        path: the canonical path; `/` for this style of API.
        query: names and values, not encoded; empty if the parameters are in the body.
        headers: the headers to sign, each name once, in any case.
        payload_sha256: the body's SHA-256 in lower-case hex.
        credentials: the key that signs.
    """
    signed = sorted((name.lower(), value.strip()) for name, value in headers.items())
    names = ";".join(name for name, _ in signed)
    canonical_request = "\n".join(
        (
            method,
            path,
            "&".join(f"{_percent_encode(name)}={_percent_encode(value)}" for name, value in sorted(query)),
            "".join(f"{name}:{value}\n" for name, value in signed),
            names,
            payload_sha256,
        )
    )
    string_to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical_request.encode()).hexdigest()}"
    key = credentials.secret.get_secret_value().encode()
    signature = hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={credentials.access_key_id},SignedHeaders={names},Signature={signature}"


class AcsV3Auth(httpx.Auth):
    """Signs each request when it's sent, with its own date and nonce; thread-safe.

    The gateway accepts dates up to 15 minutes off, so a signed request may wait for its turn for a while.

    Args:
        credentials: the source of credentials, called once per request; if it raises, nothing is sent.
        clock: returns the time of signing.
        nonce: returns a string that no other request has.
    """

    requires_request_body = True

    def __init__(
        self,
        credentials: CredentialsSource,
        *,
        clock: Callable[[], datetime] = utc_now,
        nonce: Callable[[], str] = random_nonce,
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._nonce = nonce

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add date, nonce, digest and signature to a request."""
        credentials = self._credentials()
        payload_sha256 = hashlib.sha256(request.content).hexdigest()
        request.headers["x-acs-date"] = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        request.headers["x-acs-signature-nonce"] = self._nonce()
        request.headers["x-acs-content-sha256"] = payload_sha256
        if credentials.token is not None:
            request.headers["x-acs-accesskey-id"] = credentials.access_key_id
            request.headers["x-acs-security-token"] = credentials.token.get_secret_value()
        request.headers["authorization"] = authorization(
            method=request.method,
            path=request.url.raw_path.partition(b"?")[0].decode("ascii"),
            query=parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True),
            headers={name: value for name, value in request.headers.items() if _must_be_signed(name)},
            payload_sha256=payload_sha256,
            credentials=credentials,
        )
        yield request


def _must_be_signed(name: str) -> bool:
    return name in {"host", "content-type"} or name.startswith("x-acs-")


def _percent_encode(text: str) -> str:
    return quote(text, safe="")  # RFC 3986: only letters, digits and -._~ stay unencoded
