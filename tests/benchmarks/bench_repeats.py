"""What it costs to look who already has a text, in a results folder with many campaigns of the last hours.

    python -m tests.benchmarks.bench_repeats [--campaigns 300] [--rows 100000] [--list 100000]

The plan of one list, in a process of its own for each line: with --repeat-after 0, which looks at nothing, beside it in
a folder where all campaigns have another text, and where all have the same one and every second number of the list is
in them. It must stay in seconds, and its memory must not grow with the campaigns. The folder is local; `--s3` puts it
on a real S3 server on this machine.
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument, PlanFigures, PlanInputs
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.send_record import Claim, SendRecord
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.repeats.find_repeats import RepeatFinder
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from tests.benchmarks.many_campaigns import look_once, place_of, print_looks, read_options, tell

CALL: Final = 250
TEXT: Final = "We open at 9 tomorrow."
OTHER: Final = "We close at 5 tomorrow."
_THIS: Final = "tests.benchmarks.bench_repeats"
_FIRST: Final = 6_581_000_000  # valid mobile numbers of Singapore: eight million follow
_WRITERS: Final = 16
_HOURS: Final = 20


def settings(path: Path, message: str) -> CampaignConfig:
    """Return the configuration of a campaign with this list."""
    return CampaignConfig.checked(
        recipients=(str(path),), message=message, type="NOTIFY", results="out", campaign="c", numbers_per_call=CALL
    )


def keep_campaign(place: Store, name: str, first: int, rows: int, scratch: Path) -> None:
    """Leave a campaign as a run leaves it that everybody was accepted in."""
    path = scratch / f"{name}.csv"
    path.write_text("phone\n" + "".join(f"{_FIRST + first + row}\n" for row in range(rows)))
    config = settings(path, TEXT)
    folder = place.within(name)
    plan, _ = make_plan(config, folder, S3Access.from_environment, scratch)
    now = datetime.now(UTC)
    keep_document(place, name, config, plan)
    for chunk in range(plan.chunk_count()):
        claim = Claim(chunk, 0, "r" * 32, "host", now.timestamp(), now.timestamp(), "f" * 64)
        record = SendRecord(
            chunk=chunk,
            submission=0,
            run="r" * 32,
            settlement=Settlement.ACCEPTED,
            reason=None,
            code="OK",
            description=None,
            request_id=f"request-{chunk}",
            sent_at=now.timestamp(),
            fingerprint="f" * 64,
            message_ids={position: f"{10**17 + position}" for position in range(CALL)},
        )
        write(folder, f"claims/{chunk:06d}-0", claim.encode())
        write(folder, record.key, record.encode())
    plan.path.unlink()
    path.unlink()


def keep_document(place: Store, name: str, config: CampaignConfig, plan: FrozenPlan) -> None:
    """Write campaign.json of a campaign that has begun to send."""
    now = datetime.now(UTC)
    document = CampaignDocument(
        campaign=name,
        created_at=now,
        settings=config.frozen_settings(),
        plan=PlanFigures(
            id=plan.id, inputs=PlanInputs(numbers_per_call=CALL), rows=plan.counts(), chunks=plan.chunk_count()
        ),
        sending_since=now,
    )
    write(place.within(name), DOCUMENT_KEY, document.encode())


def write(store: Store, key: str, body: bytes) -> None:
    """Write an object; on a disk past the store, which flushes each one."""
    if isinstance(store, LocalStore):
        path = Path(store.uri) / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    else:
        store.put_if_absent(key, body)


def plan_once(place: str, path: Path, message: str, hours: float) -> None:
    """Plan the list in this process, and tell what it took and how many have the text."""
    store = open_store(place, S3Access.from_environment)
    config = settings(path, message)
    finder = RepeatFinder(store, "ours", TextPattern.of(config.wording), hours * 3_600) if hours else None
    with tempfile.TemporaryDirectory(prefix="globe-sms-bench-") as scratch:
        began = time.perf_counter()
        plan, _ = make_plan(
            config,
            LocalStore(Path(scratch) / "campaign"),
            S3Access.from_environment,
            Path(scratch),
            find_left_out=None if finder is None else finder.find,
        )
        seconds = time.perf_counter() - began
        rows = plan.counts()
    tell(seconds, rows.get("suppressed", 0), sum(rows.values()))


def main() -> None:
    """Make the campaigns, plan, print."""
    given = read_options(__doc__, 4)
    if given.once:
        place, path, message, hours = given.once
        plan_once(place, Path(path), message, float(hours))
        return
    with place_of(given) as (place, folder):
        store = open_store(place, S3Access.from_environment)

        def keep(number: int) -> None:
            scratch = folder / f"scratch-{number}"
            scratch.mkdir()
            keep_campaign(store, f"campaign-{number:04}", number * given.rows, given.rows, scratch)

        with ThreadPoolExecutor(_WRITERS if given.s3 else 2) as pool:
            list(pool.map(keep, range(given.campaigns)))
        path = folder / "list.csv"
        every = max(1, given.campaigns * given.rows // given.list)
        numbers = (_FIRST + row * every + (row % 2) * 10**8 for row in range(given.list))
        path.write_text("phone\n" + "".join(f"{number}\n" for number in numbers))
        lines = [
            ["--repeat-after 0", *look_once(_THIS, place, path, TEXT, 0)],
            ["all campaigns have another text", *look_once(_THIS, place, path, OTHER, _HOURS)],
            ["all campaigns have the same text", *look_once(_THIS, place, path, TEXT, _HOURS)],
        ]
    title = f"Planning {given.list:,} rows beside {given.campaigns} campaigns of {given.rows:,}"
    print_looks(title, lines, place)


if __name__ == "__main__":
    main()
