"""Campaigns of a results folder as their runs leave them, for tests of who already has a text."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument, PlanFigures, PlanInputs
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill
from globe_sms.tasks.campaign.send_record import Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.store import Store

NOW = datetime.now(UTC).timestamp()


def no_s3() -> NoReturn:
    """Nothing here is on S3."""
    raise AssertionError


class CampaignFolders:
    """Makes campaigns in a results folder: two numbers a chunk, and what their ledgers say."""

    def __init__(self, place: Store, scratch: Path) -> None:
        self.place = place
        self.scratch = scratch

    def plan(self, campaign: str, rows: Sequence[str], **options: Any) -> FrozenPlan:
        """Plan a campaign of these lines of a CSV file (phone, and name where the first has a comma)."""
        header = "phone,name" if "," in rows[0] else "phone"
        path = self.scratch / f"{campaign}.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        given = {"message": "Hello", "type": "NOTIFY", "results": "out", "numbers_per_call": 2} | options
        config = CampaignConfig.checked(recipients=(str(path),), **given)
        folder = self.place.within(campaign)
        plan, _ = make_plan(config, folder, no_s3, self.scratch)
        document = CampaignDocument(
            campaign=campaign,
            created_at=datetime.fromtimestamp(NOW, UTC),
            settings=config.frozen_settings(),
            plan=PlanFigures(
                id=plan.id, inputs=PlanInputs(numbers_per_call=2), rows=plan.counts(), chunks=plan.chunk_count()
            ),
            sending_since=datetime.fromtimestamp(NOW, UTC),
        )
        folder.put_if_absent(DOCUMENT_KEY, document.encode())
        return plan

    def claim(self, campaign: str, chunk: int, *, submission: int = 0, at: float = NOW) -> None:
        """Claim a chunk, as a run that is killed then."""
        self._ledger(campaign).claim(Claim(chunk, submission, "run", "host", at, at, "f" * 64))

    def record(
        self, campaign: str, chunk: int, settlement: Settlement, *, submission: int = 0, at: float = NOW, **fields: Any
    ) -> None:
        """Claim a chunk and record the answer."""
        self.claim(campaign, chunk, submission=submission, at=at)
        self._ledger(campaign).settle(
            SendRecord(chunk, submission, "run", settlement, None, None, None, "R", at, "f" * 64, **fields)
        )

    def sent(self, campaign: str, rows: Sequence[str], **options: Any) -> None:
        """Make a campaign that was sent and accepted."""
        plan = self.plan(campaign, rows, **options)
        for chunk in range(plan.chunk_count()):
            self.record(campaign, chunk, Settlement.ACCEPTED)

    def _ledger(self, campaign: str) -> Ledger:
        folder = self.place.within(campaign)
        return Ledger(folder, Spill(self.scratch / "spill", folder.uri))
