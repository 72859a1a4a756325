"""An S3 bucket as a store: conditional PutObject for both atomic writes.

Source: Amazon S3 User Guide, "Conditional writes" (If-None-Match: * and If-Match on PutObject; 412 means that the
condition failed, 409 that two writes collided and this one should be retried).
"""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError, ResponseStreamingError
from urllib3.exceptions import HTTPError, ProtocolError

from globe_sms.tasks.store.interface import Store, Stored
from globe_sms.tasks.store.s3_access import s3_sentence
from globe_sms.tasks.store.store_clock import StoreClock
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError
from globe_sms.tasks.vocabulary.network_faults import network_fault

_LOST = frozenset({"412", "PreconditionFailed"})
_CONFLICT = frozenset({"409", "ConditionalRequestConflict", "OperationAborted"})
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_UNAVAILABLE = 500
_CONFLICT_TRIES = 10
_READ_TRIES = 5
_READ_PAUSE = 0.5  # seconds
# botocore lets urllib3's ProtocolError through when a refusal breaks off in its body.
_BROKEN_OFF = (ResponseStreamingError, IncompleteReadError, ProtocolError)
_NOT_IMPLEMENTED = frozenset({"501", "NotImplemented"})
_IF_ABSENT: Mapping[str, Any] = {"IfNoneMatch": "*"}
_NO_CONDITIONS = (
    "this server doesn't support conditional writes (If-None-Match and If-Match on PutObject), so two runs could send "
    "the same chunk. Use one that does (AWS S3, SeaweedFS, MinIO ...)."
)
_ADVICE: Mapping[str, str] = {
    "NoSuchBucket": "the bucket doesn't exist; check its name, or create it",
    "AccessDenied": "access denied; the key needs GetObject, PutObject, ListBucket and DeleteObject here",
    "403": "access denied; the key needs GetObject, PutObject, ListBucket and DeleteObject here",
    "InvalidAccessKeyId": "the S3 access key is unknown; check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the S3 secret is wrong; check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the S3 session token has expired; get a new one",
}


_Taken = TypeVar("_Taken")


class S3Store:
    """A prefix in a bucket; an object's version is its ETag.

    `client` is a boto3 S3 client that retries, so an unavailable store has been tried several times. It doesn't retry
    a body that breaks off; reads here do. A retried write that had succeeded the first time is answered 412: it's
    recognized by its own bytes. `clock` learns from every answer; the stores of one server share it.

    An empty object counts as absent. Some servers (SeaweedFS 4.48, measured) create one for a write whose connection
    ended between head and body, for instance when the writer is killed. Such a write was never acknowledged, and no
    write from here is empty.
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        prefix: str,
        *,
        clock: StoreClock | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._clock = clock or StoreClock()
        self._sleep = sleep

    @property
    def uri(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str) -> Stored | None:
        """Return the object under `key`, or None."""
        stored = self._read(key, lambda answer: Stored(answer["Body"].read(), answer["ETag"], _modified(answer)))
        return stored if stored and stored.body else None

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        """Write with If-None-Match; exactly one of several writers gets a version."""
        return self._put(key, body, _IF_ABSENT)

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        """Write with If-Match on the ETag."""
        return self._put(key, body, {"IfMatch": version})

    def put_file_if_absent(self, key: str, path: Path) -> bool:
        """Write a file (at most 5 GB) with If-None-Match."""
        condition: Mapping[str, Any] = _IF_ABSENT
        for _ in range(_CONFLICT_TRIES):
            with path.open("rb") as body:
                try:
                    self._call("put_object", key, Body=body, **condition)
                except _LostError:
                    empty = self._version_of_empty(key)
                    if empty is None:
                        return False
                    condition = {"IfMatch": empty}
                except _ConflictError:
                    self._sleep(0.2)
                else:
                    return True
        raise StoreUnavailableError(f"{self.uri}: other writers kept changing {key!r}; try again.")

    def put_file(self, key: str, path: Path) -> None:
        """Upload a file, in parts if it's large; readers see the old object or the new one."""
        with self._errors(key):
            self._client.upload_file(str(path), self._bucket, self._prefix + key)

    def fetch(self, key: str, path: Path) -> bool:
        """Copy the object to a local file; False if there is none."""

        def copy(answer: Any) -> bool:
            if not answer["ContentLength"]:
                return False
            with path.open("wb") as file:
                for block in answer["Body"].iter_chunks(1 << 20):
                    file.write(block)
            return True

        return self._read(key, copy) or False

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that start with `prefix`, sorted; 1,000 a request."""
        with self._errors(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    if item["Size"]:
                        yield item["Key"][len(self._prefix) :]

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders directly here, sorted; 1,000 a request."""
        with self._errors(""):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
            )
            for page in pages:
                for item in page.get("CommonPrefixes", ()):
                    yield item["Prefix"][len(self._prefix) :].rstrip("/")

    def delete(self, key: str) -> None:
        """Delete the object if it exists."""
        self._call("delete_object", key, absent_is_none=True)

    @property
    def clock(self) -> StoreClock:
        """The server's clock."""
        return self._clock

    def within(self, prefix: str) -> Store:
        """Return the folder `prefix` of this store as a store."""
        prefix = f"{self._prefix}{prefix}"
        return S3Store(self._client, self._bucket, prefix, clock=self._clock, sleep=self._sleep)

    def _read(self, key: str, take: Callable[[Any], _Taken]) -> _Taken | None:
        """Get an object and read its body, again if the connection breaks off inside it; None if there is none."""
        for tries_left in reversed(range(_READ_TRIES)):
            try:
                answer = self._call("get_object", key, absent_is_none=True)
                with self._errors(key):
                    return None if answer is None else take(answer)
            except _BrokenOffError:
                if not tries_left:
                    raise
            self._sleep(_READ_PAUSE)
        raise AssertionError("the last try returns or raises")

    def _put(self, key: str, body: bytes, condition: Mapping[str, Any]) -> str | None:
        for _ in range(_CONFLICT_TRIES):
            try:
                return str(self._call("put_object", key, Body=body, **condition)["ETag"])
            except _LostError:
                current = self.get(key)
                if current is not None and current.body == body:
                    return current.version
                empty = self._version_of_empty(key) if current is None and condition == _IF_ABSENT else None
                if empty is None:
                    return None
                condition = {"IfMatch": empty}
            except _ConflictError:
                self._sleep(0.2)
        raise StoreUnavailableError(f"{self.uri}: other writers kept changing {key!r}; try again.")

    def _version_of_empty(self, key: str) -> str | None:
        answer = self._call("head_object", key, absent_is_none=True)
        return None if answer is None or answer["ContentLength"] else str(answer["ETag"])

    def _call(self, operation: str, key: str, *, absent_is_none: bool = False, **arguments: Any) -> Any:
        sent = self._clock.monotonic()
        with self._errors(key):
            try:
                answer = getattr(self._client, operation)(Bucket=self._bucket, Key=self._prefix + key, **arguments)
            except ClientError as error:
                code = _code(error)
                if code in _LOST or (code in _ABSENT and "IfMatch" in arguments):
                    raise _LostError from error
                if code in _CONFLICT:
                    raise _ConflictError from error
                if code in _ABSENT and absent_is_none:
                    return None
                if code in _NOT_IMPLEMENTED and arguments.keys() & {"IfMatch", "IfNoneMatch"}:
                    raise StoreError(f"{self.uri}: {_NO_CONDITIONS}") from error
                raise
        self._clock.answered(_date(answer), sent, self._clock.monotonic())
        return answer

    @contextlib.contextmanager
    def _errors(self, key: str) -> Generator[None]:
        where = f"s3://{self._bucket}/{self._prefix}{key}"
        try:
            yield
        except ClientError as error:
            raise _refusal(where, error) from error
        except _BROKEN_OFF as error:
            raise _BrokenOffError(
                f"{where}: the S3 server's answer broke off ({network_fault(error)}); "
                "check AWS_ENDPOINT_URL and the network."
            ) from error
        except (BotoCoreError, HTTPError, OSError) as error:
            fault = network_fault(error)
            raise StoreUnavailableError(
                f"{where}: the S3 server didn't answer ({fault}); check AWS_ENDPOINT_URL and the network."
            ) from error
        except Exception as error:
            if type(error).__name__ not in ("S3UploadFailedError", "RetriesExceededError"):
                raise
            cause = error.__cause__ or error.__context__
            if isinstance(cause, ClientError):
                raise _refusal(where, cause) from error
            raise StoreUnavailableError(f"{where}: the upload failed; check the network and try again.") from error


class _LostError(Exception):
    """412: the condition failed."""


class _ConflictError(Exception):
    """409: another conditional write was in progress."""


class _BrokenOffError(StoreUnavailableError):
    """The connection broke in the middle of an answer."""


def _date(answer: Mapping[str, Any]) -> str | None:
    return answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")


def _modified(answer: Any) -> float:
    """Return when an object was written; just now if the server doesn't say, which nothing takes for old."""
    modified = answer.get("LastModified")
    return time.time() if modified is None else modified.timestamp()


def _refusal(where: str, error: ClientError) -> StoreError:
    """Return a refusal as an error, with what the server says."""
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NOT_IMPLEMENTED:
        return StoreError(f"{where}: the S3 server doesn't implement this request ({code}); use another server.")
    if code.startswith("KMS."):
        return StoreError(f"{where}: the KMS key can't be used; the key needs kms:GenerateDataKey{s3_sentence(error)}.")
    if status >= _UNAVAILABLE or code in ("SlowDown", "RequestTimeout"):
        return StoreUnavailableError(f"{where}: the S3 server answered {code}; try again later.")
    return StoreError(f"{where}: {_ADVICE.get(code, f'the S3 server refused: {code}')}{s3_sentence(error)}.")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
