"""S3 access for boto3 and polars alike: credentials, region and endpoint, resolved once.

boto3 resolves everything from the environment, like every AWS tool: AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL, profiles,
instance roles, SSO. Beyond boto3's rules, AWS_REGION counts like AWS_DEFAULT_REGION and before it, and
AWS_REQUEST_PAYER=requester accepts the cost of requester-pays buckets. polars gets the result: on its own it silently
ignores half of these.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, NoReturn, Self
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.exceptions import HTTPError

from globe_sms.tasks.store.bucket_addresses import BucketAddress, BucketAddresses
from globe_sms.tasks.store.store_clock import StoreClock
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in, mask_typed
from globe_sms.tasks.vocabulary.network_faults import network_fault
from globe_sms.tasks.vocabulary.proxies import LOOPBACK, advice_on_proxy, proxy_is_set

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

_CLIENT_CONFIG = {
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"mode": "standard", "total_max_attempts": 5},
    "max_pool_connections": 64,
    # Other S3 servers reject or mangle the checksums that botocore adds by default.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
_ASK_AGAIN_SECONDS = 300  # botocore renews credentials 15 to 10 minutes before they expire
_SCHEME = re.compile(r"s3[an]?://", re.IGNORECASE)  # Hadoop's names, too
_PAYS_THEMSELVES = "requester"
_MOST_OF_A_SENTENCE = 400
_SAYS_NOTHING = {"Unknown", *(status.phrase for status in HTTPStatus)}
_SECRET_LIKE = re.compile(r"(?:AKIA|ASIA|LTAI)[A-Za-z0-9]{8,}|[A-Za-z0-9+/=]{40,}")
_NO_CREDENTIALS = (
    "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or AWS_PROFILE, or attach a role to this machine"
)

# S3 error code or HTTP status -> what it means and what to do.
_ADVICE_BY_CODE = {
    "NoSuchBucket": "the bucket doesn't exist: check its name, and that the endpoint is the right one",
    "NoSuchKey": "the object doesn't exist: check the URI",
    "404": "the object or the bucket doesn't exist: check the URI",
    "AccessDenied": "access is denied: these credentials need s3:GetObject on it and s3:ListBucket on its bucket, and "
    "kms:Decrypt on its key if it's encrypted with KMS; for a requester-pays bucket set AWS_REQUEST_PAYER=requester",
    "403": "access is denied: check the credentials, s3:GetObject on it and s3:ListBucket on its bucket",
    "SecondLevelDomainForbidden": "the server wants the bucket in the host name: set addressing_style = virtual under "
    "s3 in the AWS profile",
    "AllAccessDisabled": "access is disabled: ask the owner of the bucket",
    "InvalidAccessKeyId": "the S3 server doesn't know this access key ID: check AWS_ACCESS_KEY_ID and the endpoint",
    "SignatureDoesNotMatch": "the S3 server rejected the signature: check AWS_SECRET_ACCESS_KEY",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_REGION to the bucket's region",
    "PermanentRedirect": "the bucket is in another region: set AWS_REGION to the bucket's region",
    "301": "the bucket is in another region: set AWS_REGION to the bucket's region",
    "ExpiredToken": "the session token has expired: renew the credentials",
    "ExpiredTokenException": "the session token has expired: renew the credentials",
    "TokenRefreshRequired": "the session token has expired: renew the credentials",
    "RequestExpired": "the request came too late: set this machine's clock, or renew the credentials",
    "InvalidToken": "the session token isn't valid: renew the credentials",
    "RequestTimeTooSkewed": "this machine's clock is too far from the S3 server's: set the clock",
    "InvalidObjectState": "the object is archived: restore it first",
    "InvalidBucketName": "the bucket name isn't valid: check the URI",
    "SlowDown": "the S3 server kept asking to slow down: try again later",
}

# botocore error -> what it means and what to do; the first matching class wins.
_ADVICE_BY_ERROR: tuple[tuple[type[BaseException], str], ...] = (
    (NoCredentialsError, _NO_CREDENTIALS),
    (PartialCredentialsError, "the AWS credentials are incomplete: set both the key ID and the secret"),
    (ParamValidationError, "the bucket name or key isn't valid: check the URI"),
    (
        ProxyConnectionError,
        "the proxy of HTTP_PROXY or HTTPS_PROXY can't be reached: check it, or name the S3 endpoint's host in NO_PROXY",
    ),
    (SSLError, "the TLS certificate of the S3 endpoint isn't trusted: check the endpoint and AWS_CA_BUNDLE"),
    (ConnectTimeoutError, "the S3 endpoint can't be reached: check AWS_ENDPOINT_URL and the network"),
    (EndpointConnectionError, "the S3 endpoint can't be reached: check AWS_ENDPOINT_URL and the network"),
    (ReadTimeoutError, "the S3 endpoint didn't answer in time: try again later"),
    (HTTPClientError, "the connection to the S3 endpoint broke: try again later"),
    (HTTPError, "the connection to the S3 endpoint broke: try again later"),
    (BotoCoreError, "the S3 request couldn't be made: check the AWS configuration"),
)
_KMS = "the KMS key of the object can't be used: these credentials need kms:Decrypt on it, and it must be enabled"
_NO_CONNECTION = (ConnectTimeoutError, EndpointConnectionError)
_READING_ERRORS = (ClientError, BotoCoreError, HTTPError)


def is_s3(uri: str) -> bool:
    """Whether this is an S3 URI, not a local path; `s3a://` and `s3n://` count, in any case."""
    return _SCHEME.match(uri) is not None


def split_uri(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key; the key of a whole bucket is empty.

    The key is taken literally: `?`, `#`, `%` and spaces are part of it, and nothing is decoded.

    Raises:
        InputError: the URI doesn't start with s3://, or it names no bucket.
    """
    scheme = _SCHEME.match(uri)
    if scheme is None:
        raise InputError(f"{mask_typed(one_line(uri))}: not an S3 URI: write s3://bucket/key")
    bucket, _, key = uri[scheme.end() :].partition("/")
    if not bucket:
        raise InputError(f"{mask_typed(one_line(uri))}: the bucket is missing: write s3://bucket/key")
    return bucket, key


def one_line(text: str) -> str:
    """Escape control characters, so that the text fits on one line of a message."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def explain_s3_error(error: BaseException) -> str:
    """Return one line that says what a boto3 error means and what to do; quotes no secrets."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        known = _ADVICE_BY_CODE.get(code) or (_KMS if code.startswith("KMS.") else _ADVICE_BY_CODE.get(status))
        return f"{known or f'the S3 server refused the request ({one_line(code) or status})'}{s3_sentence(error)}"
    for kind, advice in _ADVICE_BY_ERROR:
        if isinstance(error, kind):
            return f"{advice}{advice_on_proxy(os.environ) if isinstance(error, _NO_CONNECTION) else ''}"
    return f"the S3 request failed ({network_fault(error)})"


def s3_sentence(error: ClientError) -> str:
    """Return what S3 itself says, in brackets after a blank, without phone numbers and secrets; empty if nothing."""
    said = one_line(" ".join(str(error.response.get("Error", {}).get("Message") or "").split()))
    if not said or said in _SAYS_NOTHING or said == error.response.get("Error", {}).get("Code"):
        return ""
    cut = f"{said[:_MOST_OF_A_SENTENCE]}..." if len(said) > _MOST_OF_A_SENTENCE else said
    return f' (S3 says: "{mask_numbers_in(_SECRET_LIKE.sub("••••", cut))}")'


@contextmanager
def s3_errors_name(uri: str) -> Generator[None]:
    """Turn boto3 errors raised in the block into an InputError that names `uri`."""
    try:
        yield
    except _READING_ERRORS as error:
        # Without its cause: botocore's messages may quote the request.
        raise InputError(f"{one_line(uri)}: {explain_s3_error(error)}") from None


class _CredentialProvider:
    """Gives polars the keys; polars asks again during long runs, so that expiring keys are renewed."""

    __slots__ = ("_credentials", "_expire")

    def __init__(self, credentials: "Credentials", *, expire: bool) -> None:
        self._credentials = credentials
        self._expire = expire

    def __call__(self) -> tuple[dict[str, str], int | None]:
        """Return the current keys, and the Unix time in seconds after which to ask again (None: never)."""
        frozen = self._credentials.get_frozen_credentials()
        keys = {"aws_access_key_id": str(frozen.access_key), "aws_secret_access_key": str(frozen.secret_key)}
        if frozen.token:
            keys["aws_session_token"] = str(frozen.token)
        if self._expire:
            return keys, int(time.time()) + _ASK_AGAIN_SECONDS
        return keys, None

    def __repr__(self) -> str:
        return "<AWS credentials by boto3>"

    def __reduce__(self) -> NoReturn:
        # polars would pickle it for a cache key, but secrets must never be written out.
        raise TypeError("AWS credentials can't be pickled")


@dataclass(frozen=True, slots=True)
class S3Access:
    """This process's access to S3: one endpoint, one region, one set of credentials. Thread-safe."""

    endpoint: str
    region: str
    _provider: _CredentialProvider = field(repr=False, compare=False)
    _client: Any = field(repr=False, compare=False)
    _addresses: BucketAddresses = field(repr=False, compare=False)
    requester_pays: bool = False
    clock: StoreClock = field(default_factory=StoreClock, repr=False, compare=False)
    _reached: dict[str, bool] = field(default_factory=dict[str, bool], repr=False, compare=False)
    _trial: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def from_environment(
        cls, endpoint: str | None = None, *, client_config: Mapping[str, Any] | None = None, **settings: str | None
    ) -> Self:
        """Resolve everything with boto3's rules; sends no request to S3 yet.

        Credentials of an instance or SSO may cost a network call here. `endpoint` and `settings` (those of a
        `boto3.Session`) override the environment unless None. `client_config` (fields of botocore's `Config`)
        overrides the timeouts and retries that `client` describes.

        Raises:
            InputError: no credentials were found, or the profile or the configuration isn't valid.
        """
        # A fifth of a second of CPU time, which a campaign on local disks doesn't need.
        from boto3.session import Session
        from botocore.config import Config
        from botocore.credentials import RefreshableCredentials

        region_name = settings.pop("region_name", None) or os.environ.get("AWS_REGION") or None
        try:
            session = Session(**settings, region_name=region_name)
            credentials = session.get_credentials()
            if credentials is None:
                raise InputError(_NO_CREDENTIALS)
            _check_keys(credentials.get_frozen_credentials())
            config = {**_CLIENT_CONFIG, **(client_config or {})}
            client = session.client("s3", endpoint_url=endpoint, config=Config(**config))
            if urlsplit(client.meta.endpoint_url).hostname in LOOPBACK and proxy_is_set(os.environ):
                client = session.client("s3", endpoint_url=endpoint, config=Config(**config, proxies={}))
        except ProfileNotFound as error:
            raise InputError(f"AWS_PROFILE names a profile that doesn't exist: {one_line(str(error))}") from None
        except PartialCredentialsError as error:
            raise InputError(explain_s3_error(error)) from None
        except (ClientError, BotoCoreError, ValueError) as error:
            raise InputError(
                f"the AWS configuration can't be used ({type(error).__name__}): "
                "check AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and the files in ~/.aws"
            ) from None
        region = session.region_name or "us-east-1"
        pays = os.environ.get("AWS_REQUEST_PAYER", "").lower() == _PAYS_THEMSELVES
        if pays:
            client.meta.events.register("before-call.s3", _accept_the_cost)
        client.meta.events.register("request-created.s3.PutObject", _write_at_once)
        addresses = BucketAddresses(client)
        provider = _CredentialProvider(credentials, expire=isinstance(credentials, RefreshableCredentials))
        return cls(str(client.meta.endpoint_url), region, provider, client, addresses, pays)

    def client(self) -> Any:
        """Return the boto3 S3 client, which threads may share.

        By default it gives up connecting after 5 s and reading after 30 s, and tries 5 times in all.
        """
        return self._client

    def polars_options(self, bucket: str | None = None) -> dict[str, Any]:
        """Return the keyword arguments for polars scans, reads and sinks on S3.

        `pl.scan_parquet(uri, **access.polars_options(bucket))`. boto3 renews the keys before they expire. For a bucket
        that `client` has made a request for, polars finds it where that did.
        """
        address = self._addresses.of(bucket) if bucket else None
        found = address or BucketAddress(self.endpoint, self.region, virtual=False)
        storage = {"aws_endpoint_url": found.endpoint, "aws_region": found.region, "max_retries": 4}
        if found.virtual:
            storage["aws_virtual_hosted_style_request"] = "true"
        if found.endpoint.startswith("http://"):
            storage["aws_allow_http"] = "true"
        if self.requester_pays:
            storage["aws_request_payer"] = "true"
        return {"storage_options": storage, "credential_provider": self._provider}

    def reached_by_polars(self, bucket: str, reads: Callable[[], bool]) -> bool:
        """Return whether polars gets to a bucket: what `reads` finds, asked once for each."""
        with self._trial:
            if bucket not in self._reached:
                self._reached[bucket] = reads()
            return self._reached[bucket]


def _check_keys(credentials: "ReadOnlyCredentials") -> None:
    """Refuse keys that no server takes: they were copied with a line break, a blank or quotes."""
    named = {
        "access key ID (AWS_ACCESS_KEY_ID)": credentials.access_key,
        "secret key (AWS_SECRET_ACCESS_KEY)": credentials.secret_key,
        "session token (AWS_SESSION_TOKEN)": credentials.token,
    }
    for name, value in named.items():
        if value and any(char.isspace() or not char.isprintable() for char in value):
            raise InputError(f"the AWS {name} has a line break, a blank or an invisible character in it: copy it again")


def _accept_the_cost(params: dict[str, Any], **_: Any) -> None:
    params["headers"]["x-amz-request-payer"] = _PAYS_THEMSELVES


def _write_at_once(request: Any, **_: Any) -> None:
    """Don't ask before the body whether it's welcome: for a claim of 300 bytes that doubles the round trips.

    botocore asks for every object, and waits for the answer; the question only pays where much would be sent in vain.
    """
    if isinstance(request.data, BytesIO):  # made of bytes; files keep it
        del request.headers["Expect"]
