"""Controls a gateway's deliveries, receipts and queries, and reads their logs; for tests."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from globe_sms.deployments.sandbox.gateway.delivery_fates import DeliverySettings
from globe_sms.deployments.sandbox.gateway.delivery_receipts import Way
from globe_sms.deployments.sandbox.gateway.query_message import Query, QueryStats
from globe_sms.deployments.sandbox.gateway.receipt_push import Push, PushSettings


class DeliveriesControl:
    """The part of `GatewayControl` for deliveries; every method raises httpx.HTTPError if it fails."""

    _client: httpx.Client

    def set_deliveries(self, settings: DeliverySettings | None = None, **options: Any) -> None:
        """Set how messages accepted from now on end; the options are the fields of `DeliverySettings`."""
        content = (settings or DeliverySettings(**options)).model_dump_json()
        self._client.put("/deliveries", content=content).raise_for_status()

    def deliveries(self) -> Iterator[dict[str, Any]]:
        """Return every accepted message with its fate, as `Message.record` describes."""
        return self._lines("/deliveries")

    def receipts(self, way: Way | None = None) -> Iterator[dict[str, str]]:
        """Return the delivery receipts so far, as Alibaba writes them."""
        return self._lines("/receipts", (way or Way()).model_dump())

    def push_receipts(self, url: str, **options: Any) -> None:
        """Push receipts to this URL, including earlier messages; the options are the fields of `PushSettings`."""
        settings = PushSettings(url=url, **options)
        self._client.put("/pushes", content=settings.model_dump_json()).raise_for_status()

    def pushes(self) -> Iterator[Push]:
        """Return every push so far, in the order of their answers."""
        return (Push.model_validate(line) for line in self._lines("/pushes"))

    def queries(self) -> Iterator[Query]:
        """Return every query so far."""
        return (Query(**line) for line in self._lines("/queries"))

    def query_stats(self) -> QueryStats:
        """Return counts of the queries."""
        return QueryStats.model_validate(self._client.get("/queries/stats").raise_for_status().json())

    def _lines(self, path: str, parameters: dict[str, Any] | None = None) -> Iterator[Any]:
        with self._client.stream("GET", path, params=parameters) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line:
                    yield json.loads(line)
