"""An S3 server of the tests' own, for what SeaweedFS doesn't do: regions, virtual addressing alone, keys of any kind.

It keeps keys as they come, answers GET, HEAD and ListObjectsV2, and can be strict. It also serves as an HTTP proxy, so
that a client reaches `bucket.host` without DNS: `HTTP_PROXY` is its endpoint then.
"""

import re
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

HOST = "s3.strict.test"
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/s3/")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class StrictS3:
    """A running server and what it is strict about; change the fields at any time."""

    endpoint: str
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    """By bucket and key."""
    region: str | None = None
    """The region that requests must be signed for; others are redirected."""
    virtual_only: bool = False
    """Refuse the bucket in the path, as Alibaba OSS does."""
    requester_pays: bool = False
    """Refuse requests that don't accept the cost."""
    refusals: dict[str, tuple[int, str, str]] = field(default_factory=dict[str, tuple[int, str, str]])
    """Status, code and message by key: what a GET of it is answered."""
    no_polars: bool = False
    """Refuse polars' own client, by its User-Agent."""
    served: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The User-Agent and the path of every request."""

    def put(self, key: str, body: bytes, bucket: str = "lists") -> str:
        """Keep an object; return its URI."""
        self.objects[bucket, key] = body
        return f"s3://{bucket}/{key}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    s3: StrictS3

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:  # the name that http.server asks for
        parts = urlsplit(self.path)
        host = parts.hostname or (self.headers.get("Host") or "").partition(":")[0]
        path = unquote(parts.path.removeprefix("/"))
        virtual = host.endswith(f".{HOST}")
        bucket, _, key = (host.removesuffix(f".{HOST}"), "", path) if virtual else path.partition("/")
        agent = self.headers.get("User-Agent", "")
        self.s3.served.append((agent, self.path))
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        refusal = self._refusal(key, virtual=virtual)
        if refusal is not None:
            self._refuse(*refusal)
        elif "list-type" in query:
            self._list(bucket, query.get("prefix", ""))
        elif (bucket, key) in self.s3.objects:
            self._object(self.s3.objects[bucket, key])
        else:
            self._refuse(404, "NoSuchKey", "The specified key does not exist.")

    do_HEAD = do_GET  # noqa: N815 - the name that http.server asks for

    def _refusal(self, key: str, *, virtual: bool) -> tuple[int, str, str] | None:
        signed = _SCOPE.search(self.headers.get("Authorization", ""))
        if self.s3.no_polars and "boto" not in self.headers.get("User-Agent", "").lower():
            return 403, "AccessDenied", "Not for this client."
        if self.s3.virtual_only and not virtual:
            return 403, "SecondLevelDomainForbidden", "Please use virtual hosted style to access."
        if self.s3.region is not None and (signed is None or signed[1] != self.s3.region):
            return 301, "PermanentRedirect", "The bucket must be addressed using the specified endpoint."
        if self.s3.requester_pays and self.headers.get("x-amz-request-payer") != "requester":
            return 403, "AccessDenied", "Bucket is requester pays bucket but requester pays is not specified."
        return self.s3.refusals.get(key)

    def _refuse(self, status: int, code: str, message: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>".encode()
        self._answer(status, body, {"Content-Type": "application/xml"})

    def _list(self, bucket: str, prefix: str) -> None:
        entries = "".join(
            f"<Contents><Key>{quote(key)}</Key><Size>{len(body)}</Size><ETag>&quot;e{hash(body)}&quot;</ETag></Contents>"
            for (name, key), body in sorted(self.s3.objects.items())
            if name == bucket and key.startswith(prefix)
        )
        head = "<IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
        self._answer(200, f"<ListBucketResult>{head}{entries}</ListBucketResult>".encode(), {})

    def _object(self, body: bytes) -> None:
        headers = {
            "ETag": f'"e{hash(body)}"',
            "Last-Modified": "Mon, 30 Nov 2026 10:00:00 GMT",
            "Accept-Ranges": "bytes",
        }
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, body, headers)
            return
        first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
        if first >= len(body):
            self._refuse(416, "InvalidRange", "The requested range is not satisfiable")
            return
        self._answer(206, body[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status, HTTPStatus(status).phrase)
        if self.s3.region is not None:
            self.send_header("x-amz-bucket-region", self.s3.region)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


@contextmanager
def strict_s3() -> Generator[StrictS3]:
    """Run a server on loopback until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        handler.s3 = StrictS3(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield handler.s3
        finally:
            server.shutdown()
            thread.join()
