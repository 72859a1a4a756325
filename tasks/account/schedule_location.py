"""Where an account's turns are kept: all of its runs must share one place."""

from collections.abc import Callable, Mapping
from typing import Final

from globe_sms.tasks.store import Store
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access, is_s3, split_uri

PACING_VARIABLE: Final = "GLOBE_SMS_PACING"
_FOLDER: Final = ".globe-sms/pacing"


def open_pacing(results: str, environ: Mapping[str, str], s3: Callable[[], S3Access]) -> Store:
    """Return the store of the accounts' schedules: at the top of the results' bucket, or in the local directory.

    `GLOBE_SMS_PACING` names another place, for teams whose campaigns are in several buckets: two runs of one account
    that don't share a place call more often than the account may.

    Raises:
        InputError: the place isn't an s3:// prefix or a directory, or there are no S3 credentials.
    """
    place = environ.get(PACING_VARIABLE)
    if place:
        return open_store(place, s3)
    if is_s3(results):
        bucket, _ = split_uri(results)
        return open_store(f"s3://{bucket}/", s3).within(_FOLDER)
    return open_store(results, s3).within(_FOLDER)
