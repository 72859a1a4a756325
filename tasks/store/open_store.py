"""Opens the stores of a results URI: the campaigns, and the account's pacing beside them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from globe_sms.tasks.store import LocalStore, S3Store, Store
from globe_sms.tasks.store.s3_access import S3Access, split_uri
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_typed

PACING_VARIABLE = "GLOBE_SMS_PACING"
_S3 = "s3://"
_PACING_FOLDER = ".globe-sms/pacing"


def open_store(uri: str, s3: Callable[[], S3Access]) -> Store:
    """Return the store at an s3:// prefix or a local directory; nothing is read or written yet.

    Raises:
        InputError: the URI is neither of these, or there are no S3 credentials.
    """
    if uri.startswith(_S3):
        bucket, prefix = split_uri(uri)
        return S3Store(s3().client(), bucket, prefix)
    if "://" in uri:
        raise InputError(f"--results {mask_typed(uri)!r}: give an s3://bucket/prefix or a local directory.")
    path = Path(uri).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise InputError(f"--results {mask_typed(uri)!r} is a file: give a directory, or an s3://bucket/prefix.")
    return LocalStore(path, uri=uri)


def open_pacing(results: str, environ: Mapping[str, str], s3: Callable[[], S3Access]) -> Store:
    """Return the store of the accounts' schedules: at the top of the results bucket, or in the local directory.

    `GLOBE_SMS_PACING` names another place, for teams with campaigns in several buckets: all runs of an account must
    share one place, or together they exceed its rate.
    """
    place = environ.get(PACING_VARIABLE)
    if place:
        return open_store(place, s3)
    if results.startswith(_S3):
        bucket, _ = split_uri(results)
        return open_store(f"{_S3}{bucket}/", s3).within(_PACING_FOLDER)
    return open_store(results, s3).within(_PACING_FOLDER)
