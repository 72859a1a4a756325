"""A link to the results that opens in a browser."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from globe_sms.tasks.reports.page_blocks import Link
from globe_sms.tasks.store.s3_access import S3Access, split_uri


def results_link(uri: str, s3: Callable[[], S3Access]) -> Link:
    """Return a link to AWS's console, to the object on another S3 server, or to the local file.

    The link has no signature, so it only works for people who have access themselves.
    """
    if not uri.startswith("s3://"):
        path = Path(uri).expanduser().absolute()
        return Link(path.name, path.as_uri(), f"{path} on the computer that ran the campaign")
    bucket, key = split_uri(uri)
    endpoint = s3().endpoint
    if (urlsplit(endpoint).hostname or "").endswith(".amazonaws.com"):
        link = f"https://console.aws.amazon.com/s3/object/{quote(bucket)}?region={s3().region}&prefix={quote(key)}"
    else:
        link = f"{endpoint}/{quote(bucket)}/{quote(key)}"
    return Link(key.rpartition("/")[2], link, uri)
