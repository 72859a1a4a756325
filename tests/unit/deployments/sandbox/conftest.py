"""Calls signed by the official SDK's code, so that the door is tested against Alibaba's signer."""

import hashlib
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import pytest
from alibabacloud_tea_openapi.utils import Utils

from globe_sms.deployments.sandbox.gateway.settings import Account
from globe_sms.deployments.sandbox.gateway.signature_check import Call

NOW = datetime(2026, 10, 28, 12, 0, 0, tzinfo=UTC).timestamp()
_nonces = itertools.count(1)


def build_call(
    parameters: dict[str, str],
    *,
    account: Account,
    query: bool = False,
    at: float = NOW,
    headers: dict[str, str | None] | None = None,
    unsigned: tuple[str, ...] = (),
    after: dict[str, str] | None = None,
    method: str = "POST",
    path: str = "/",
) -> Call:
    """Build a call; `headers` are changed before the SDK signs (None: left out), `after` after it."""
    wire = "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in parameters.items()).encode()
    body = b"" if query else wire
    sent: dict[str, str | None] = {
        "host": "127.0.0.1:1234",
        "accept": "application/json",
        "x-acs-action": "BatchSendMessageToGlobe",
        "x-acs-version": "2018-05-01",
        "x-acs-date": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": f"nonce-{next(_nonces)}",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "content-type": "application/x-www-form-urlencoded" if body else None,
        "x-acs-security-token": account.token,
        **(headers or {}),
    }
    present = {name: value for name, value in sent.items() if value is not None}
    request = SimpleNamespace(
        method=method,
        pathname=path,
        query=parameters if query else {},
        headers={name: value for name, value in present.items() if name not in unsigned},
    )
    digest = sent["x-acs-content-sha256"] or hashlib.sha256(body).hexdigest()
    authorization = Utils.get_authorization(request, "ACS3-HMAC-SHA256", digest, account.key_id, account.secret)
    present = {"authorization": authorization, **present, **(after or {})}
    return Call(method, path, wire if query else b"", tuple(present.items()), body)


@pytest.fixture
def now() -> float:
    """The time at which the tests' calls are signed, in seconds since the epoch."""
    return NOW


@pytest.fixture
def account() -> Account:
    """An account without an STS token."""
    return Account(key_id="LTAItest", secret="right-secret", calls_per_second=1000)


@pytest.fixture
def signed(account: Account) -> Callable[..., Call]:
    """A builder of signed calls (see `build_call`), by default for the test's account."""

    def build(parameters: dict[str, str] | None = None, **options: Any) -> Call:
        return build_call(parameters or batch(), **{"account": account, **options})

    return build


def batch(numbers: list[str] | None = None, **changes: str) -> dict[str, str]:
    """Return the parameters of a valid call, with changes."""
    to = numbers or ["6581234567", "85251234567"]
    return {
        "To": json.dumps(to),
        "Message": json.dumps([f"Hello {place} ~*+%20 é😀" for place, _ in enumerate(to)], ensure_ascii=False),
        "Type": "NOTIFY",
        **changes,
    }


@pytest.fixture
def parameters() -> Callable[..., dict[str, str]]:
    """A builder of valid parameters (see `batch`)."""
    return batch
