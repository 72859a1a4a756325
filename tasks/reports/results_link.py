"""A link to the results that a browser can open, where there is one."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from globe_sms.tasks.store.s3_access import S3Access, split_uri


def results_link(uri: str, s3: Callable[[], S3Access]) -> str:
    """Return markdown with a link: AWS's console, the object on another S3 server, or the local file.

    The link carries no signature: whoever follows it needs access of their own.
    """
    if not uri.startswith("s3://"):
        path = Path(uri).expanduser().absolute()
        return f"[{path.name}]({path.as_uri()})\n\n`{path}` on the machine that ran the campaign."
    bucket, key = split_uri(uri)
    endpoint = s3().endpoint
    if (urlsplit(endpoint).hostname or "").endswith(".amazonaws.com"):
        link = f"https://console.aws.amazon.com/s3/object/{quote(bucket)}?region={s3().region}&prefix={quote(key)}"
    else:
        link = f"{endpoint}/{quote(bucket)}/{quote(key)}"
    return f"[{key.rpartition('/')[2]}]({link})\n\n`{uri}`"
