"""Opens the store that a URI names: an s3:// prefix or a local directory."""

from collections.abc import Callable
from pathlib import Path

from globe_sms.tasks.store import LocalStore, S3Store, Store
from globe_sms.tasks.store.s3_access import S3Access, is_s3, split_uri
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed


def open_existing(uri: str, s3: Callable[[], S3Access], option: str = "--results") -> Store:
    """Return the store of a folder that is only read, named by an option: a directory must exist.

    Raises:
        InputError: the URI isn't valid, there are no S3 credentials, or the directory doesn't exist.
    """
    store = open_store(uri, s3, option)
    if not is_s3(uri) and not Path(uri).expanduser().is_dir():
        raise InputError(f"{option}: the directory {mask_typed(uri)!r} doesn't exist.")
    return store


def open_store(uri: str, s3: Callable[[], S3Access], option: str = "--results") -> Store:
    """Return the store at an s3:// prefix or a local directory; nothing is read or written yet.

    A directory's store names its absolute path, so that messages and results say which place a relative one meant.

    Raises:
        InputError: the URI is neither of these, or there are no S3 credentials.
    """
    if is_s3(uri):
        bucket, prefix = split_uri(uri)
        access = s3()
        return S3Store(access.client(), bucket, prefix, clock=access.clock)
    if "://" in uri:
        raise InputError(f"{option}: {mask_typed(uri)!r} is neither s3://bucket/prefix nor a directory.")
    path = Path(uri).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise InputError(f"{option}: {mask_typed(uri)!r} is a file; give a directory, or s3://bucket/prefix.")
    return LocalStore(path)
