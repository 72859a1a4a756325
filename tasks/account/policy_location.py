"""Where the policy is: named by the account or the environment, or at the place that the account's runs share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from globe_sms.tasks.account.schedule_location import PACING_VARIABLE
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access, one_line, split_uri
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from globe_sms.tasks.vocabulary.masking import mask_typed

POLICY_VARIABLE: Final = "GLOBE_SMS_POLICY"
POLICY_KEY: Final = ".globe-sms/policy.toml"
NAMED_BY_BLOCK: Final = "the account block"
_S3: Final = "s3://"


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy as it was found.

    Attributes:
        uri: where it is.
        body: what is in it.
        named_by: what names it: the account block or GLOBE_SMS_POLICY; None at its usual place.
    """

    uri: str
    body: bytes
    named_by: str | None = None


def usual_policy_uri(results: str) -> str:
    """Return where the policy of a results folder usually is: at the top of its bucket, or in the directory.

    Raises:
        InputError: the results folder is neither an s3:// prefix nor a directory.
    """
    if results.startswith(_S3):
        bucket, _ = split_uri(results)
        return f"{_S3}{bucket}/{POLICY_KEY}"
    return f"{results.rstrip('/')}/{POLICY_KEY}"


def find_policy(
    results: str, environ: Mapping[str, str], s3: Callable[[], S3Access], *, of_block: str | None = None
) -> PolicyFile | None:
    """Find and read the policy of an account's runs; None if nothing names one and the usual places have none.

    The account block's overrides GLOBE_SMS_POLICY. Otherwise it's `.globe-sms/policy.toml` at the top of the
    results' bucket or in the results directory, or, for accounts that share a pacing folder, in that folder.

    Args:
        results: The results folder.
        environ: The environment.
        s3: Gives the access to S3.
        of_block: The URI that the account block names.

    Raises:
        InputError: a named policy doesn't exist, a policy can't be read, or both usual places have one.
    """
    for named_by, uri in ((NAMED_BY_BLOCK, of_block), (POLICY_VARIABLE, environ.get(POLICY_VARIABLE))):
        if uri:
            body = _read(uri, s3)
            if body is None:
                raise InputError(
                    f"{_shown(uri)}: the policy that {named_by} names doesn't exist, so nothing is sent. Put it there, "
                    f"or change {named_by}."
                )
            return PolicyFile(uri, body, named_by)
    pacing = environ.get(PACING_VARIABLE)
    places = [usual_policy_uri(results), *([f"{pacing.rstrip('/')}/{POLICY_KEY}"] if pacing else [])]
    found = [PolicyFile(uri, body) for uri in sorted(set(places)) if (body := _read(uri, s3)) is not None]
    if len(found) > 1:
        raise InputError(
            f"Two policies exist, {' and '.join(_shown(each.uri) for each in found)}, so nothing is sent: keep one of "
            f"them, or name the one to use in {POLICY_VARIABLE}."
        )
    return found[0] if found else None


def write_new_policy(uri: str, body: bytes, s3: Callable[[], S3Access]) -> bool:
    """Write a policy unless its place is taken; return whether it was written.

    Raises:
        InputError: the place can't be used, can't be read or can't be written to.
    """
    if _read(uri, s3) is not None:
        return False
    try:
        if uri.startswith(_S3):
            return _bucket(uri, s3).put_if_absent(_key(uri), body) is not None
        path = _path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(body)
    except FileExistsError:
        return False
    except (StoreError, OSError) as error:
        raise InputError(
            f"{_shown(uri)} can't be written: {_why(error)} Check the place and its permissions."
        ) from error
    return True


def _read(uri: str, s3: Callable[[], S3Access]) -> bytes | None:
    try:
        if uri.startswith(_S3):
            stored = _bucket(uri, s3).get(_key(uri))
            return None if stored is None else stored.body
        return _bytes_of(_path(uri))
    except (InputError, StoreError, OSError) as error:
        raise InputError(
            f"{_shown(uri)}: the policy can't be read, so nothing is sent: {_why(error)} Make it readable, then run "
            "the same command again."
        ) from error


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():  # a broken link: somebody put a policy here
            raise
        return None


def _bucket(uri: str, s3: Callable[[], S3Access]) -> Store:
    return open_store(f"{_S3}{split_uri(uri)[0]}/", s3)


def _key(uri: str) -> str:
    return split_uri(uri)[1]


def _path(uri: str) -> Path:
    if "://" in uri or "\0" in uri:
        raise InputError("it's neither an s3:// object nor a path.")
    try:
        return Path(uri).expanduser()
    except RuntimeError:
        raise InputError("the home directory isn't known.") from None


def _why(error: Exception) -> str:
    return f"{error.strerror or type(error).__name__}." if isinstance(error, OSError) else str(error)


def _shown(uri: str) -> str:
    return mask_typed(one_line(uri))
