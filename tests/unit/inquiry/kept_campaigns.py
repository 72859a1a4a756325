"""Campaigns as runs leave them in a results folder, step by step: plan, claims, send records, results, document."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import PlanFigures, PlanInputs, Summary, Usage, plan_key
from globe_sms.tasks.campaign.lease import Lease
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.campaign.send_record import Attempt, Claim, SendRecord
from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.numbers import validate
from globe_sms.tasks.numbers.time_zones import zone_table
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.plan_rows import plan_rows
from globe_sms.tasks.planning.sending_groups import groups_of
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

SETTINGS = {"recipients": ["s3://lists/a.csv"], "message": "Hello", "type": "NOTIFY", "numbers_per_call": 2}
BEGAN = 4_000_000_000.0  # after the plan, whose time is the real one
SOURCE = "s3://lists/a.csv"


class KeptCampaign:
    """A campaign with two numbers per call; it holds the lease until `end`, as a run does.

    With hours its results are written in blocks of as many rows as `window` says.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        recipients: Sequence[str],
        scratch: Path,
        *,
        window: int | None = None,
        **settings: Any,
    ) -> None:
        self.scratch = scratch / name
        self.scratch.mkdir(parents=True)
        self.campaign = Campaign(store, name, stop=StopSignal())
        self.campaign.open({**SETTINGS, **settings})
        self.store = self.campaign.store
        self.ledger = Ledger(self.store, Spill(self.scratch / "spill", self.store.uri))
        rows = pl.LazyFrame({"source": SOURCE, "row": range(len(recipients)), "recipient": recipients})
        validated = validate(rows.with_columns(pl.col("row").cast(pl.UInt64)), default_region=None)
        hours = zone_table(datetime.now(UTC)) if "hours" in settings else None
        groups = groups_of(Senders(), hours)
        groups = None if groups is None else replace(groups, window=window)
        self.plan = FrozenPlan(plan_rows(validated, 2, f"plan-of-{name}", self.scratch, groups=groups))
        self.store.put_file_if_absent(plan_key(self.plan.id), self.plan.path)
        inputs = PlanInputs(numbers_per_call=2)
        figures = PlanFigures(id=self.plan.id, inputs=inputs, rows=self.plan.counts(), chunks=self.plan.chunk_count())
        self.campaign.adopt(figures, self.campaign.document.settings, ())

    def claim(self, chunk: int, submission: int = 0, **fields: Any) -> None:
        """Claim a chunk, ten seconds after the one before."""
        self.campaign.begin_sending()
        at = BEGAN + 10 * (chunk + 10 * submission)
        assert self.ledger.claim(Claim(chunk, submission, "run-of-claims", "host-1", at, at + 1, "f", **fields))

    def answer(self, chunk: int, settlement: Settlement, submission: int = 0, **fields: Any) -> None:
        """Record its answer, two seconds after its claim."""
        at = BEGAN + 10 * (chunk + 10 * submission) + 2
        task = f"{self.campaign.id}-{chunk}-{submission * 100 + 1}"
        code = fields.get("code")
        attempt = Attempt(task, at, settlement.value, code, f"R-{chunk}-{submission}", "")
        given: dict[str, Any] = {"reason": None, "code": None, "description": None, "request_id": attempt.request_id}
        self.ledger.settle(
            SendRecord(
                chunk=chunk,
                submission=submission,
                run="run-of-claims",
                settlement=settlement,
                sent_at=at - 1,
                fingerprint="f",
                attempts=(attempt,),
                **{**given, **fields},
            )
        )

    def accept(self, chunk: int, submission: int = 0, ids: Sequence[str] = ()) -> None:
        """Claim it and have it accepted."""
        self.claim(chunk, submission)
        given = ids or [f"m-{chunk}-{position}" for position in range(2)]
        self.answer(chunk, Settlement.ACCEPTED, submission, code="OK", message_ids=dict(enumerate(given)))

    def write_results(self, **summary: Any) -> None:
        """Write the results and their summary, as the end of a run does."""
        path, counts = account_for(
            self.plan,
            self.ledger,
            self.store,
            self.scratch,
            campaign=self.campaign.id,
            not_sent="stopped",
            segments=1,
        )
        self.store.put_file(RESULTS_KEY, path)
        self.campaign.update(
            summary=Summary(
                campaign=self.campaign.id, results=self.store.uri, counts=counts, calls=3, seconds=4.5, **summary
            ),
            usage=Usage(quarters={}),
        )

    def end(self) -> None:
        """Give the lease back."""
        self.campaign.give_back()

    def crash(self, until: float = 0.0) -> None:
        """End as a killed run does: the lease stays until then, and nobody renews it."""
        self.campaign.update(lease=Lease("gone", "elsewhere", "", until, "n"))
        assert self.campaign._renewal is not None
        self.campaign._renewal.end()
