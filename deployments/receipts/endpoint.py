"""The ASGI application: `POST /<anything>/<secret>` receives a push, `GET /health` returns the status.

| answer | when |
| --- | --- |
| 200 `{"code":0,"msg":"success"}` | all that was pushed is in the store; also to GET, HEAD and an empty body |
| 400 | the body isn't a JSON array of objects; it's kept under `_refused/` for inspection |
| 404 | the path doesn't end in the secret, whatever else is wrong |
| 405 | the path is right, but the method isn't POST, GET or HEAD |
| 408, 413 | the body didn't arrive within 10 s, or is longer than 4 MiB |
| 503 | the store didn't take the push within 10 s, or too much is waiting: push again |

Alibaba repeats a push after 1 and 5 minutes unless the answer is HTTP 200 with code 0, so a refused push isn't lost if
the store recovers within six minutes. GET, HEAD and an empty body are how a console may try the URL.
"""

import asyncio
import hmac
import json
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from globe_sms.deployments.receipts.group_commit import Batches, FullError
from globe_sms.deployments.receipts.lines_in_store import REFUSED
from globe_sms.deployments.receipts.push_body import NotReceiptsError, PushedLines, lines_of
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import StoreError

LARGEST_BODY = 4 << 20
MOST_HELD = 64 << 20
"""The most bytes of all bodies that are being read or wait for their answer."""
BODY_SECONDS = 10.0
KEEP_SECONDS = 10.0
_MOST_REFUSED_KEPT = 100
_SMALL = 64 << 10  # parsed in the event loop itself: a few milliseconds at most
_LARGE_AT_ONCE = 2
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]

_log = logging.getLogger("globe_sms.receipts")


class ReceiptsEndpoint:
    """Passes receipts to `batches` and replies to `replies`; other bodies are kept in `store`, at most a hundred."""

    def __init__(
        self,
        store: Store,
        batches: Batches,
        replies: Batches,
        secret: SecretStr,
        *,
        body_seconds: float = BODY_SECONDS,
        keep_seconds: float = KEEP_SECONDS,
        most_held: int = MOST_HELD,
    ) -> None:
        self._store = store
        self._batches = batches
        self._replies = replies
        self._secret = secret.get_secret_value().encode()
        self._body_seconds = body_seconds
        self._keep_seconds = keep_seconds
        self._most_held = most_held
        self._held = 0
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)  # parsing takes ten times a body's bytes
        self._refused = 0

    def application(self) -> Starlette:
        """Return the application; its lifespan starts and stops the batches' writers."""
        return Starlette(
            routes=[
                Route("/health", self._health, methods=["GET"]),
                Route("/{path:path}", self._push, methods=_METHODS),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _application: Starlette) -> AsyncGenerator[None]:
        self._batches.start()
        self._replies.start()
        try:
            yield
        finally:
            await asyncio.gather(self._batches.stop(), self._replies.stop())

    async def _health(self, _request: Request) -> Response:
        # Always 200: a restart doesn't fix the store, and an unready pod would get no pushes.
        status = {
            "status": "store_unavailable" if self._batches.trouble or self._replies.trouble else "ok",
            "receipts": self._batches.written,
            "replies": self._replies.written,
            "objects": self._batches.objects + self._replies.objects,
            "waiting_bytes": self._batches.waiting + self._replies.waiting,
            "refused": self._refused,
        }
        return Response(json.dumps(status), media_type="application/json")

    async def _push(self, request: Request) -> Response:
        given = str(request.path_params["path"]).rpartition("/")[2]
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._secret):
            return _answer(404, "not found")
        if request.method in {"GET", "HEAD"}:
            return _answer(0, "success")
        if request.method != "POST":
            return Response(status_code=405, headers={"allow": "POST, GET, HEAD"})
        return await self._take(request)

    async def _take(self, request: Request) -> Response:
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for piece in request.stream():
                    body += piece
                    self._held += len(piece)
                    if len(body) > LARGEST_BODY:
                        return _answer(413, f"the body is longer than {LARGEST_BODY} bytes")
                    if self._held > self._most_held:
                        return _answer(503, "too many pushes at once: push again")
            return await self._understand(bytes(body))
        except TimeoutError:
            return _answer(408, "the body didn't arrive in time")
        except ClientDisconnect:
            return _answer(400, "the body broke off")  # the client is gone
        finally:
            self._held -= len(body)

    async def _understand(self, body: bytes) -> Response:
        try:
            if len(body) <= _SMALL:
                lines = lines_of(body)
            else:
                async with self._large:
                    lines = await asyncio.to_thread(lines_of, body)
        except NotReceiptsError as error:
            await self._keep_refused(body, str(error))
            return _answer(400, str(error))
        return await self._keep(lines)

    async def _keep(self, lines: PushedLines) -> Response:
        try:
            async with asyncio.timeout(self._keep_seconds):
                if lines.replies:
                    await self._replies.keep(lines.replies)
                if lines.receipts:
                    await self._batches.keep(lines.receipts)
        except FullError:
            return _answer(503, "too much is waiting for the store: push again")
        except (StoreError, TimeoutError):
            return _answer(503, "the store didn't take the push: push again")
        return _answer(0, "success")

    async def _keep_refused(self, body: bytes, why: str) -> None:
        self._refused += 1
        if self._refused > _MOST_REFUSED_KEPT:
            return
        key = f"{REFUSED}/{datetime.now(UTC):%Y%m%dT%H%M%S}Z-{uuid.uuid4().hex}"
        kept = f"kept as {self._store.uri}/{key}"
        try:
            await asyncio.to_thread(self._store.put_if_absent, key, body or b"(empty)")
        except StoreError:
            kept = "and the store didn't take it"
        _log.warning("A push with the right secret was refused (%s), %s.", why, kept)
        if self._refused == _MOST_REFUSED_KEPT:
            _log.warning("%d bodies were kept; later ones are only counted.", _MOST_REFUSED_KEPT)


def _answer(code: int, message: str) -> Response:
    body = json.dumps({"code": code, "msg": message}, separators=(",", ":"))
    return Response(body, status_code=code or 200, media_type="application/json")
