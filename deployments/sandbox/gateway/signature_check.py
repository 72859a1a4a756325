"""The gateway's door: verifies ACS3-HMAC-SHA256 (Signature V3) independently of the client.

Stricter than documented: the Authorization header has exactly the documented form, SignedHeaders are sorted without
duplicates, every `x-acs-*` header is signed, only POST to `/` is allowed, and any call with a valid signature uses up
its nonce, even if it's throttled or refused afterwards.
Source: Alibaba Cloud, "Request syntax and signature method V3" (doc-detail/2593177, document_detail/159972).
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from globe_sms.deployments.sandbox.gateway import wire_form as wire
from globe_sms.deployments.sandbox.gateway.refusals import Refusal, RefusedError, gateway_refusal, missing
from globe_sms.deployments.sandbox.gateway.settings import Account

ACTION = "BatchSendMessageToGlobe"
QUERY = "QueryMessage"
VERSION = "2018-05-01"
CLOCK_TOLERANCE_SECONDS = 15 * 60
# A signed call can be replayed while its date is valid, 15 minutes in both directions.
NONCE_MEMORY_SECONDS = 2 * CLOCK_TOLERANCE_SECONDS

_ALGORITHM = "ACS3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<key>[^,\s]+),SignedHeaders=(?P<names>[^,\s]+),"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_REQUIRED = {
    "x-acs-action": "Action",
    "x-acs-version": "Version",
    "x-acs-date": "Timestamp",
    "x-acs-signature-nonce": "SignatureNonce",
    "x-acs-content-sha256": "ContentSha256",
}


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request as received; header names are lower-case."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return a header's trimmed value, `""` if it's missing."""
        return next((value.strip() for key, value in self.headers if key == name), "")

    @property
    def claimed_key_id(self) -> str:
        """The access key id that the call claims, unverified."""
        found = _AUTHORIZATION.fullmatch(self.header("authorization"))
        return found["key"] if found else ""


class Door:
    """Admits signed calls, each one once. Not thread-safe: belongs to one event loop."""

    def __init__(
        self, accounts: Iterable[Account], *, actions: Iterable[str] = (ACTION, QUERY), version: str = VERSION
    ) -> None:
        self._actions = frozenset(actions)
        self._version = version
        self._accounts = {account.key_id: account for account in accounts}
        self._nonces: OrderedDict[tuple[str, str], float] = OrderedDict()

    def admit(self, call: Call, *, now: float) -> tuple[Account, dict[str, str]]:
        """Verify a call that arrived at `now` (seconds since the epoch) and use up its nonce.

        Returns:
            The account and the decoded query parameters.

        Raises:
            RefusedError: with the gateway code for the fault.
        """
        if call.method != "POST":
            raise RefusedError(gateway_refusal("UnsupportedHTTPMethod"))
        headers = _single(call.headers)
        self._check_action(call.path, headers)
        authorization = headers.get("authorization")
        if authorization is None:
            raise RefusedError(gateway_refusal("IncompleteSignature", "There is no Authorization header."))
        parsed = _AUTHORIZATION.fullmatch(authorization)
        if parsed is None:
            raise RefusedError(gateway_refusal("IncompleteSignature", "The Authorization header is malformed."))
        for name, label in _REQUIRED.items():
            if not headers.get(name):
                raise RefusedError(missing(label))
        account = self._accounts.get(parsed["key"])
        if account is None:
            raise RefusedError(gateway_refusal("InvalidAccessKeyId.NotFound"))
        _check_token(account, headers)
        _check_date(headers["x-acs-date"], now)
        names = _signed_names(parsed["names"], headers, has_body=bool(call.body))
        query = wire.pairs(call.query)
        if not hmac.compare_digest(_signature(account.secret, call, headers, names, query), parsed["signature"]):
            raise RefusedError(gateway_refusal("SignatureDoesNotMatch"))
        self._burn(account.key_id, headers["x-acs-signature-nonce"], now)
        return account, query

    def _check_action(self, path: str, headers: dict[str, str]) -> None:
        if path != "/":
            raise RefusedError(gateway_refusal("InvalidAction.NotFound", "RPC calls go to the path /."))
        for name in ("x-acs-action", "x-acs-version"):
            if not headers.get(name):
                raise RefusedError(missing(_REQUIRED[name]))
        if headers["x-acs-version"] != self._version:
            raise RefusedError(gateway_refusal("InvalidVersion"))
        if headers["x-acs-action"] not in self._actions:
            raise RefusedError(gateway_refusal("InvalidAction.NotFound"))

    def _burn(self, key_id: str, nonce: str, now: float) -> None:
        while self._nonces and next(iter(self._nonces.values())) < now - NONCE_MEMORY_SECONDS:
            self._nonces.popitem(last=False)
        if (key_id, nonce) in self._nonces:
            raise RefusedError(gateway_refusal("SignatureNonceUsed"))
        self._nonces[key_id, nonce] = now


def _single(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    single: dict[str, str] = {}
    for name, value in headers:
        signable = name in {"host", "content-type", "authorization"} or name.startswith("x-acs-")
        if signable and name in single:
            raise RefusedError(gateway_refusal("IncompleteSignature", f"The header {name} stands twice."))
        single[name] = value.strip()
    return single


def _check_token(account: Account, headers: dict[str, str]) -> None:
    token = headers.get("x-acs-security-token")
    problem: Refusal | None = None
    if account.token is not None and not token:
        problem = gateway_refusal("InvalidSecurityToken.Missing")
    elif token is not None and token != account.token:
        problem = gateway_refusal("InvalidSecurityToken.MismatchWithAccessKey")
    if problem:
        raise RefusedError(problem)


def _check_date(text: str, now: float) -> None:
    malformed = gateway_refusal("InvalidTimeStamp.Format")
    if not _DATE.fullmatch(text):
        raise RefusedError(malformed)
    try:
        date = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(malformed) from None
    if abs(date.timestamp() - now) > CLOCK_TOLERANCE_SECONDS:
        raise RefusedError(gateway_refusal("InvalidTimeStamp.Expired"))


def _signed_names(text: str, headers: dict[str, str], *, has_body: bool) -> list[str]:
    names = text.split(";")
    if names != sorted(set(names)) or any(name not in headers for name in names):
        raise RefusedError(
            gateway_refusal("IncompleteSignature", "SignedHeaders are not sorted, stand twice or are not sent.")
        )
    needed = {"host", *(name for name in headers if name.startswith("x-acs-"))}
    if has_body:
        needed.add("content-type")
    unsigned = sorted(needed.difference(names))
    if unsigned:
        raise RefusedError(gateway_refusal("IncompleteSignature", f"Not signed: {', '.join(unsigned)}."))
    return names


def _signature(secret: str, call: Call, headers: dict[str, str], names: list[str], query: dict[str, str]) -> str:
    digest = hashlib.sha256(call.body).hexdigest()
    if headers["x-acs-content-sha256"] != digest:
        raise RefusedError(
            gateway_refusal("SignatureDoesNotMatch", "The header x-acs-content-sha256 is not the body's digest.")
        )
    canonical = "\n".join(
        (
            call.method,
            call.path,
            wire.canonical_query(query),
            "".join(f"{name}:{headers[name]}\n" for name in names),
            ";".join(names),
            digest,
        )
    )
    text = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
