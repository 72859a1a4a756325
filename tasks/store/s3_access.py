"""S3 for boto3 and polars alike: credentials, region and endpoint, resolved once.

boto3 resolves everything from the environment, as every AWS tool does: AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL,
profiles, instance roles, SSO. polars is told the outcome and guesses nothing: left alone it ignores half of it
without a word.
"""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

from boto3.session import Session
from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials
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
    ReadTimeoutError,
    SSLError,
)
from urllib3.exceptions import HTTPError

from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

_CLIENT_CONFIG = {
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"mode": "standard", "total_max_attempts": 5},
    "max_pool_connections": 64,
    # Other S3 servers refuse or mangle the checksums that botocore adds by default.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
_ASK_AGAIN_SECONDS = 300  # botocore renews credentials 15 to 10 minutes before they expire
_SCHEME = "s3://"
_NO_CREDENTIALS = (
    "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or AWS_PROFILE, or give this machine a role"
)

# S3 error code -> what it means and what to do.
_MEANINGS = {
    "NoSuchBucket": "there is no such bucket: check its name, and that the endpoint is the right one",
    "NoSuchKey": "there is no such object: check the URI",
    "404": "there is no such object or bucket: check the URI",
    "AccessDenied": "access is denied: these credentials need s3:GetObject on it and s3:ListBucket on its bucket",
    "403": "access is denied: check the credentials, s3:GetObject on it and s3:ListBucket on its bucket",
    "AllAccessDisabled": "access is disabled by the owner of the bucket",
    "InvalidAccessKeyId": "the S3 server does not know this access key id: check AWS_ACCESS_KEY_ID and the endpoint",
    "SignatureDoesNotMatch": "the S3 server refuses the signature: check AWS_SECRET_ACCESS_KEY",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_REGION to the bucket's region",
    "PermanentRedirect": "the bucket is in another region: set AWS_REGION to the bucket's region",
    "301": "the bucket is in another region: set AWS_REGION to the bucket's region",
    "ExpiredToken": "the session token has expired: renew the credentials",
    "ExpiredTokenException": "the session token has expired: renew the credentials",
    "InvalidToken": "the session token is not valid: renew the credentials",
    "RequestTimeTooSkewed": "this machine's clock is too far from the S3 server's: set the clock",
    "InvalidObjectState": "the object is archived: restore it first",
    "InvalidBucketName": "this is no valid bucket name: check the URI",
    "SlowDown": "the S3 server asked to slow down until the retries were used up: try again later",
}

# botocore error -> what it means and what to do; the first class that fits.
_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (NoCredentialsError, _NO_CREDENTIALS),
    (PartialCredentialsError, "the AWS credentials are incomplete: both the key id and the secret are needed"),
    (ParamValidationError, "this is no valid bucket name or key: check the URI"),
    (SSLError, "the TLS certificate of the S3 endpoint was not accepted: check the endpoint and AWS_CA_BUNDLE"),
    (ConnectTimeoutError, "the S3 endpoint cannot be reached: check AWS_ENDPOINT_URL and the network"),
    (EndpointConnectionError, "the S3 endpoint cannot be reached: check AWS_ENDPOINT_URL and the network"),
    (ReadTimeoutError, "the S3 endpoint did not answer in time: try again later"),
    (HTTPClientError, "the connection to the S3 endpoint broke: try again later"),
    (HTTPError, "the connection to the S3 endpoint broke: try again later"),
    (BotoCoreError, "the S3 request could not be made"),
)
_READING_ERRORS = (ClientError, BotoCoreError, HTTPError)


def split_uri(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key; the key is empty for a whole bucket.

    The key is taken as it stands: `?`, `#`, `%` and spaces belong to it, nothing is decoded.

    Raises:
        InputError: This is no s3:// URI, or it names no bucket.
    """
    if not uri.startswith(_SCHEME):
        raise InputError(f"{mask_typed(one_line(uri))}: not an S3 URI: write s3://bucket/key")
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not bucket:
        raise InputError(f"{mask_typed(one_line(uri))}: the bucket is missing: write s3://bucket/key")
    return bucket, key


def one_line(text: str) -> str:
    """Return text fit for a message: control characters escaped, so that it stays one line."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def explain(error: BaseException) -> str:
    """Say in one line, without secrets, what a boto3 error means and what to do about it."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        known = _MEANINGS.get(code) or _MEANINGS.get(status)
        return known or f"the S3 server refused the request ({one_line(code) or status})"
    for kind, meaning in _FAILURES:
        if isinstance(error, kind):
            return meaning
    return f"the S3 request failed ({type(error).__name__})"


@contextmanager
def s3_errors_name(uri: str) -> Generator[None]:
    """Turn what boto3 raises inside the block into an InputError that names `uri`."""
    try:
        yield
    except _READING_ERRORS as error:
        _refuse(uri, error)


def _refuse(uri: str, error: BaseException) -> NoReturn:
    # Without its cause: botocore's messages may quote what was sent.
    raise InputError(f"{one_line(uri)}: {explain(error)}") from None


class _CredentialProvider:
    """What polars calls for keys; it is asked again on long runs, so that keys which expire are renewed."""

    __slots__ = ("_credentials",)

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self) -> tuple[dict[str, str], int | None]:
        """Return the keys of now, and the epoch second after which to ask again (None: never)."""
        frozen = self._credentials.get_frozen_credentials()
        keys = {"aws_access_key_id": str(frozen.access_key), "aws_secret_access_key": str(frozen.secret_key)}
        if frozen.token:
            keys["aws_session_token"] = str(frozen.token)
        if isinstance(self._credentials, RefreshableCredentials):
            return keys, int(time.time()) + _ASK_AGAIN_SECONDS
        return keys, None

    def __repr__(self) -> str:
        return "<AWS credentials by boto3>"

    def __reduce__(self) -> NoReturn:
        # polars would pickle it for a cache key; secrets are never written out.
        raise TypeError("AWS credentials are not pickled")


@dataclass(frozen=True, slots=True)
class S3Access:
    """How this process reaches S3: one endpoint, one region, one set of credentials. Thread-safe."""

    endpoint: str
    region: str
    _provider: _CredentialProvider = field(repr=False, compare=False)
    _client: Any = field(repr=False, compare=False)

    @classmethod
    def from_environment(
        cls, endpoint: str | None = None, *, client_config: Mapping[str, Any] | None = None, **settings: str | None
    ) -> Self:
        """Resolve everything with boto3's own rules; no request goes to S3 yet.

        An instance's or SSO's credentials may cost a network call here. `endpoint` and `settings` (those of a
        `boto3.Session`) go before the environment where they are given and not None. `client_config` (fields of
        botocore's `Config`) goes before the patience that `client` speaks of.

        Raises:
            InputError: There are no credentials, or the profile or the configuration is broken.
        """
        try:
            session = Session(**settings)
            credentials = session.get_credentials()
            if credentials is None:
                raise InputError(_NO_CREDENTIALS)
            credentials.get_frozen_credentials()
            client = session.client(
                "s3", endpoint_url=endpoint, config=Config(**{**_CLIENT_CONFIG, **(client_config or {})})
            )
        except ProfileNotFound as error:
            raise InputError(f"AWS_PROFILE names a profile that does not exist: {one_line(str(error))}") from None
        except PartialCredentialsError as error:
            raise InputError(explain(error)) from None
        except (ClientError, BotoCoreError, ValueError) as error:
            raise InputError(
                f"the AWS configuration cannot be used ({type(error).__name__}): "
                "check AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and the files in ~/.aws"
            ) from None
        region = session.region_name or "us-east-1"
        return cls(str(client.meta.endpoint_url), region, _CredentialProvider(credentials), client)

    def client(self) -> Any:
        """Return the one boto3 S3 client; threads may share it.

        It gives up connecting after 5 s and reading after 30 s, and tries 5 times in all, if not told otherwise.
        """
        return self._client

    def polars_options(self) -> dict[str, Any]:
        """Return the keyword arguments that every polars scan, read and sink on S3 gets.

        `pl.scan_parquet(uri, **access.polars_options())`. The keys are fetched through boto3 again as they expire.
        """
        storage = {"aws_endpoint_url": self.endpoint, "aws_region": self.region, "max_retries": 4}
        if self.endpoint.startswith("http://"):
            storage["aws_allow_http"] = "true"
        return {"storage_options": storage, "credential_provider": self._provider}
