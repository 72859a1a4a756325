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
    """What a request is signed with; `repr` shows at most the beginning of the access key ID.

    Attributes:
        access_key_id: names the key; travels with every request.
        secret: signs; never travels.
        token: the security token of a temporary (STS) key, else None.

    Raises:
        InputError: a part is empty or holds a space, a line break or another character that no key has.
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
                    f"the Alibaba Cloud {name} holds a space, a line break or a character that no key has: "
                    f"copy it again"
                )

    def __repr__(self) -> str:
        shown = self.access_key_id[:4] if len(self.access_key_id) >= _LONG_ENOUGH_TO_SHOW_A_PART else ""
        return f"Credentials(access_key_id='{shown}••••', temporary={self.token is not None})"


CredentialsSource = Callable[[], Credentials]
"""Gives the credentials that are valid now; asked once for each request."""


def utc_now() -> datetime:
    """Return this machine's idea of the time, in UTC."""
    return datetime.now(UTC)


def random_nonce() -> str:
    """Return 128 random bits in hex: no two requests ever share a nonce."""
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
    """Compute the `Authorization` header over exactly what is given; pure.

    Args:
        method: in upper case.
        path: the canonical path, `/` for this style of API.
        query: names and values, not encoded; none when the parameters are in the body.
        headers: those to sign, each name once in any case.
        payload_sha256: the body's SHA-256 in lower-case hex.
        credentials: whose key signs.
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
    """Signs each request when it is sent, with a date and a nonce of its own; thread-safe.

    The gateway takes a date that is up to 15 minutes off, so a signed request may wait for its turn for a while.

    Args:
        credentials: asked once for each request; what it raises goes through, and nothing is sent then.
        clock: gives the time of signing.
        nonce: gives a string that no other request has.
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
        """Put date, nonce, digest and signature on a request."""
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
    return quote(text, safe="")  # RFC 3986: only letters, digits and -._~ stay as they are
