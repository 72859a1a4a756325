"""Finds credentials through Alibaba's default chain.

The chain tries, in order: the variables ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET (and
ALIBABA_CLOUD_SECURITY_TOKEN); an OIDC role; ~/.aliyun/config.json; the file ALIBABA_CLOUD_CREDENTIALS_FILE; the ECS
machine's RAM role; ALIBABA_CLOUD_CREDENTIALS_URI.
"""

import hashlib
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import SecretStr

from globe_sms.tasks.gateway.signature import Credentials, CredentialsSource
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.network_faults import network_fault

KEY_ID_VARIABLE: Final = "ALIBABA_CLOUD_ACCESS_KEY_ID"
KEY_SECRET_VARIABLE: Final = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"  # noqa: S105 # a variable's name
TOKEN_VARIABLE: Final = "ALIBABA_CLOUD_SECURITY_TOKEN"  # noqa: S105 # a variable's name
ROLE_VARIABLE: Final = "ALIBABA_CLOUD_ROLE_ARN"
ACCOUNT_VARIABLE: Final = "GLOBE_SMS_ACCOUNT"

_HOW_TO_SET: Final = (
    f"set {KEY_ID_VARIABLE} and {KEY_SECRET_VARIABLE} (for a temporary key also {TOKEN_VARIABLE}), "
    f"or any other source of Alibaba Cloud's default credential chain"
)
_VARIABLES_OF_OTHER_SOURCES: Final = (
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABA_CLOUD_ECS_METADATA",
)
_ACCOUNT_OF_A_ROLE: Final = re.compile(r"acs:ram::([0-9]+):role/.+")


def credentials_from_default_chain(
    *, environ: Mapping[str, str] | None = None, seconds: float = 10.0
) -> CredentialsSource:
    """Find credentials now, and return a thread-safe source that refreshes them for each request.

    A key in the environment is used without reading files or the network. Otherwise the chain of
    `alibabacloud-credentials` is asked, which may call the machine's metadata service or STS.

    Args:
        environ: the environment, by default the process's own. The library reads its variables from the process's
            environment, once, when the chain is first asked.
        seconds: the timeout of the first lookup.

    Raises:
        InputError: credentials are missing or incomplete, or the chain didn't answer in time.
    """
    environ = os.environ if environ is None else environ
    key_id, secret = environ.get(KEY_ID_VARIABLE, ""), environ.get(KEY_SECRET_VARIABLE, "")
    if key_id and secret:
        token = environ.get(TOKEN_VARIABLE, "")
        fixed = Credentials(key_id, SecretStr(secret), SecretStr(token) if token else None)
        return lambda: fixed
    if key_id or secret:
        present, absent = (KEY_ID_VARIABLE, KEY_SECRET_VARIABLE) if key_id else (KEY_SECRET_VARIABLE, KEY_ID_VARIABLE)
        raise InputError(f"{present} is set, but {absent} isn't: set both")
    return _run_with_timeout(seconds, _load_chain)


def fingerprint(credentials: Credentials, *, environ: Mapping[str, str] | None = None) -> str:
    """Return 12 hex digits that identify the account, for the schedule that all its runs share; don't reveal the key.

    The API's limit belongs to the account, but credentials don't always name it. The first of these is hashed: the
    variable GLOBE_SMS_ACCOUNT; for a temporary key, the account in ALIBABA_CLOUD_ROLE_ARN; the access key ID. The last
    differs between two keys of an account, and changes with each session of a temporary key. In these cases set
    GLOBE_SMS_ACCOUNT to the same value (such as the account's number) for all runs of the account, or they keep
    separate schedules and exceed the limit together.
    """
    environ = os.environ if environ is None else environ
    account = environ.get(ACCOUNT_VARIABLE, "").strip()
    if not account and credentials.token is not None:
        role = _ACCOUNT_OF_A_ROLE.fullmatch(environ.get(ROLE_VARIABLE, "").strip())
        account = "" if role is None else role.group(1)
    return hashlib.sha256((account or credentials.access_key_id).encode()).hexdigest()[:12]


def _load_chain() -> CredentialsSource:
    """Import the library, which reads its variables on import, and ask its chain once."""
    from alibabacloud_credentials.exceptions import CredentialException
    from alibabacloud_credentials.provider import DefaultCredentialsProvider

    # The library's own handlers print each failure with its traceback to stderr; our error is one clear line.
    logging.getLogger("credentials").setLevel(logging.CRITICAL)
    provider: Any = DefaultCredentialsProvider()

    def current() -> Credentials:
        try:
            found = provider.get_credentials()
        except CredentialException:
            raise InputError(f"no Alibaba Cloud credentials were found{_configured_sources()}: {_HOW_TO_SET}") from None
        except Exception as error:  # noqa: BLE001 # providers let errors of files, networks and JSON through
            raise InputError(
                f"the Alibaba Cloud credentials couldn't be read ({network_fault(error)}): {_HOW_TO_SET}"
            ) from None
        token = found.get_security_token()
        return Credentials(
            found.get_access_key_id() or "",
            SecretStr(found.get_access_key_secret() or ""),
            SecretStr(token) if token else None,
        )

    current()
    return current


def _configured_sources() -> str:
    """Name the configured sources, so that the message shows which ones failed."""
    configured = [name for name in _VARIABLES_OF_OTHER_SOURCES if os.environ.get(name)]
    return f" (though {', '.join(configured)} is set)" if configured else ""


def _run_with_timeout(seconds: float, work: Callable[[], CredentialsSource]) -> CredentialsSource:
    """Do the work in a thread, and abandon it after `seconds`: the providers' own timeouts add up."""
    done: list[CredentialsSource] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 # raised again in the waiting thread
            failed.append(error)

    thread = threading.Thread(target=run, name="globe-sms-credentials", daemon=True)
    thread.start()
    thread.join(seconds)
    if done:
        return done[0]
    if failed:
        raise failed[0]
    raise InputError(f"Alibaba Cloud's credential chain didn't answer within {seconds:g} s: {_HOW_TO_SET}")
