"""Plans of small CSV lists, for tests of what a plan holds and what it costs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.store import LocalStore

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def no_s3() -> NoReturn:
    """Nothing here is on S3."""
    raise AssertionError


def written(path: Path, text: str) -> str:
    """Write a file and return where it is."""
    path.write_text(text, encoding="utf-8")
    return str(path)


def planned(folder: Path, rows: str, **options: Any) -> FrozenPlan:
    """Plan a CSV list."""
    given = {"message": "Hi", "type": "NOTIFY", "results": str(folder), "numbers_per_call": 2} | options
    config = CampaignConfig.checked(recipients=(written(folder / "list.csv", rows),), **given)
    plan, _ = make_plan(config, LocalStore(folder / "store"), no_s3, folder, now=NOW)
    return plan
