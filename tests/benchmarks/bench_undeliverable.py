"""What it costs to leave out undeliverable numbers, in a results folder with many tracked campaigns.

    python -m tests.benchmarks.bench_undeliverable [--campaigns 300] [--rows 100000] [--list 100000] [--s3]

Who of one list is undeliverable, in a process of its own for each line: by the campaigns of one day (those of the four
days before are read, too, for receipts come late), and by all. Each campaign has another part of the same million
numbers; 3 % of its texts failed for good. Bound: seconds, and the memory doesn't grow with the campaigns.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument, Usage
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY, RESULTS_SCHEMA
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.rules import Undeliverable
from globe_sms.tasks.policy.undeliverable import find_undeliverable
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from tests.benchmarks.many_campaigns import look_once, place_of, print_looks, read_options, tell

_THIS: Final = "tests.benchmarks.bench_undeliverable"
_FIRST: Final = 6_580_000_000
_NUMBERS: Final = 1_000_000
_DEAD: Final = 33  # every 33rd number


def keep_campaign(place: Store, number: int, rows: int, scratch: Path) -> None:
    """Leave a campaign as tracking leaves it."""
    name = f"campaign-{number:04}"
    at = datetime.now(UTC) - timedelta(hours=12 * number)
    index = (pl.int_range(rows, eager=True) + number * rows // 3) % _NUMBERS
    dead = index % _DEAD == 0
    given = {
        "campaign": pl.lit(name),
        "source": pl.lit("s3://lists/a.csv"),
        "row": pl.int_range(pl.len()).cast(pl.UInt64),
        "phone_number": pl.format("+{}", pl.col("index") + _FIRST),
        "status": pl.lit("accepted"),
        "message_id": pl.format("10080303{}", pl.col("index")),
        "sent_at": pl.lit(at),
        "delivery": pl.when("dead").then(pl.lit("undelivered")).otherwise(pl.lit("delivered")),
        "delivery_code": pl.when("dead").then(pl.lit("UNDELIV")).otherwise(pl.lit("DELIVERED")),
        "delivered_at": pl.lit(at),
    }
    path = scratch / "results.parquet"
    pl.DataFrame({"index": index, "dead": dead}).select(
        given.get(column, pl.lit(None)).cast(dtype).alias(column) for column, dtype in RESULTS_SCHEMA.items()
    ).write_parquet(path, compression="zstd")
    folder = place.within(name)
    folder.put_file(RESULTS_KEY, path)
    document = CampaignDocument(
        campaign=name,
        created_at=at,
        settings={"message": "Hello", "type": "NOTIFY"},
        sending_since=at,
        usage=Usage(quarters={at.isoformat(): (rows, rows, None)}),
    )
    folder.put_if_absent(DOCUMENT_KEY, document.encode())


def find_once(place: str, rows: int, days: float) -> None:
    """Find the list's undeliverable numbers in this process, and tell what it took."""
    s3 = S3Access.from_environment
    numbers = pl.LazyFrame({"e164": pl.int_range(rows, eager=True) * (_NUMBERS // rows) + _FIRST})
    with tempfile.TemporaryDirectory(prefix="globe-sms-bench-") as scratch:
        began = time.perf_counter()
        results = PlaceResults(open_store(place, s3), s3, Path(scratch))
        rule = Undeliverable(days=days)
        file = find_undeliverable(numbers, [rule], results, Path(scratch) / "found.parquet", but="ours")
        seconds = time.perf_counter() - began
        found = 0 if file is None else pl.read_parquet(file).height
    tell(seconds, found, rows)


def main() -> None:
    """Make the campaigns, look, print."""
    given = read_options(__doc__, 3)
    if given.once:
        place, rows, days = given.once
        find_once(place, int(rows), float(days))
        return
    with place_of(given) as (place, folder):
        store = open_store(place, S3Access.from_environment)
        for number in range(given.campaigns):
            keep_campaign(store, number, given.rows, folder)
        lines = [
            ["one day: 10 campaigns", *look_once(_THIS, place, given.list, 1.0)],
            [f"365 days: {given.campaigns} campaigns", *look_once(_THIS, place, given.list, 365.0)],
        ]
    print_looks(f"Who of {given.list:,} numbers is undeliverable, beside campaigns of {given.rows:,}", lines, place)


if __name__ == "__main__":
    main()
