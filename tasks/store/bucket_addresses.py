"""Where boto3 finds each bucket, so that polars looks there too: endpoint, region, and the bucket in host or path.

boto3 decides that by its rules and follows redirects to other regions; polars does neither. What it signed is recorded.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """The endpoint and signing region of requests for a bucket, and whether the host name has the bucket."""

    endpoint: str
    region: str
    virtual: bool


class BucketAddresses:
    """The last address that a client signed a request for, by bucket. Thread-safe."""

    def __init__(self, client: Any) -> None:
        self._addresses: dict[str, BucketAddress] = {}
        self._lock = threading.Lock()
        client.meta.events.register("before-sign.s3", self._note)

    def of(self, bucket: str) -> BucketAddress | None:
        """Return a bucket's address; None if no request for it was made."""
        with self._lock:
            return self._addresses.get(bucket)

    def _note(self, request: Any, region_name: str, **_: Any) -> None:
        context: Mapping[str, Any] = request.context
        bucket = (context.get("input_params") or {}).get("Bucket")
        if not isinstance(bucket, str):
            return
        parts = urlsplit(request.url)
        region = (context.get("signing") or {}).get("region") or region_name
        virtual = parts.netloc.startswith(f"{bucket}.")
        base = "" if virtual else parts.path.partition(f"/{bucket}")[0]
        with self._lock:
            self._addresses[bucket] = BucketAddress(f"{parts.scheme}://{parts.netloc}{base}", str(region), virtual)
