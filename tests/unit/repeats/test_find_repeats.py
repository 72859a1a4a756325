"""Who already has a campaign's text, by the plans and ledgers of earlier campaigns."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.repeats.find_repeats import RepeatFinder
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.repeats.earlier_campaign_folders import NOW, CampaignFolders

A, B, C, D = (f"65812345{number:02}" for number in (1, 2, 3, 4))
HOUR = 3_600.0


@pytest.fixture
def folders(store: Store, tmp_path: Path) -> CampaignFolders:
    return CampaignFolders(store, tmp_path)


@pytest.fixture
def on_disk(local_store: LocalStore, tmp_path: Path) -> CampaignFolders:
    return CampaignFolders(local_store, tmp_path)


def repeats(
    folders: CampaignFolders,
    numbers: Sequence[str] = (A, B, C, D),
    message: str | None = "Hello",
    texts: Sequence[str] | None = None,
    **options: Any,
) -> dict[str, str]:
    """Return who has the text already, by number: the last two digits and the campaign."""
    rows = pl.LazyFrame({"e164": [int(number) for number in numbers]})
    if texts is not None:
        rows = rows.with_columns(message=pl.Series(texts))
    wording = Wording.of(message, None if message else "text", downgrade=True, max_characters=1_000)
    finder = RepeatFinder(folders.place, "ours", TextPattern.of(wording), 20 * HOUR, clock=lambda: NOW, **options)
    return {
        str(number)[-2:]: source.removeprefix("repeat:")
        for file in finder.find(rows, folders.scratch)
        for number, source in pl.read_parquet(file, columns=["e164", "source"]).iter_rows()
    }


def test_who_was_texted_has_the_text(folders: CampaignFolders) -> None:
    """On a disk and on S3; other numbers don't."""
    folders.sent("first", [A, B, C])
    assert repeats(folders, [B, C, D]) == {"02": "first", "03": "first"}


def test_a_claim_without_a_record_counts_as_texted(on_disk: CampaignFolders) -> None:
    """The run was killed, and nobody knows whether the call had left; what it hadn't claimed is free."""
    on_disk.plan("killed", [A, B, C, D])
    on_disk.claim("killed", 0)
    assert repeats(on_disk) == {"01": "killed", "02": "killed"}


def test_what_was_refused_or_never_presented_is_free(on_disk: CampaignFolders) -> None:
    """A refused call, a refused number of an accepted call, a call that wasn't made."""
    on_disk.plan("refused", [A, B])
    on_disk.record("refused", 0, Settlement.REFUSED)
    on_disk.plan("partly", [A, B, C])
    on_disk.record("partly", 0, Settlement.ACCEPTED, failed=(1,))
    on_disk.record("partly", 1, Settlement.NOT_SENT)
    assert repeats(on_disk) == {"01": "partly"}


def test_a_refusal_after_an_unclear_call_proves_nothing(on_disk: CampaignFolders) -> None:
    """The first presentation may have been taken."""
    on_disk.plan("resent", [A, B])
    on_disk.record("resent", 0, Settlement.UNKNOWN)
    on_disk.record("resent", 0, Settlement.ACCEPTED, submission=1, failed=(0,))
    assert repeats(on_disk) == {"01": "resent", "02": "resent"}


def test_a_number_that_one_campaign_failed_to_text_may_have_it_from_another(on_disk: CampaignFolders) -> None:
    """The campaigns are asked one after the other, the latest first."""
    on_disk.sent("older", [A, B])
    on_disk.plan("newer", [A, B])
    on_disk.record("newer", 0, Settlement.ACCEPTED, failed=(0,))
    _written(on_disk, "older", NOW - HOUR)
    assert repeats(on_disk) == {"01": "older", "02": "newer"}
    assert repeats(on_disk, rows_at_once=1) == {"01": "older", "02": "newer"}


def test_earlier_texts_do_not_count(on_disk: CampaignFolders) -> None:
    """Neither of a campaign that ended long ago nor of an old call of a long one."""
    on_disk.sent("old", [A])
    _written(on_disk, "old", NOW - 21 * HOUR)
    on_disk.plan("long", [B, C, D])
    on_disk.record("long", 0, Settlement.ACCEPTED, at=NOW - 21 * HOUR)
    on_disk.record("long", 1, Settlement.ACCEPTED, at=NOW - 19 * HOUR)
    assert repeats(on_disk) == {"04": "long"}


def test_other_texts_and_tests_do_not_count(on_disk: CampaignFolders) -> None:
    """A colleague who got a test still gets the campaign. Nor do the campaign's own texts."""
    on_disk.sent("other", [A], message="Goodbye")
    on_disk.sent("ours", [B])
    on_disk.sent("test", [C], test_to_sha256="0" * 64)
    on_disk.plan("never-sent", [D])
    assert repeats(on_disk) == {}


def test_personal_texts_are_compared_word_for_word(on_disk: CampaignFolders) -> None:
    """With other personal texts and with the same text for all, in both directions."""
    on_disk.sent("personal", [f"{A},Ann", f"{B},Bo", f"{C},Cy"], message="Hi {name}")
    on_disk.sent("plain", [D], message="Hi Di")
    texts = ["Hi Ann", "Hi Bob", "Hi Cy", "Hi Di"]
    assert repeats(on_disk, message="Hi {who}", texts=texts) == {"01": "personal", "03": "personal", "04": "plain"}
    assert repeats(on_disk, message=None, texts=texts) == {"01": "personal", "03": "personal", "04": "plain"}
    assert repeats(on_disk, message="Hi Bo") == {"02": "personal"}


def test_a_campaign_that_cannot_be_read_stops_this_one(on_disk: CampaignFolders) -> None:
    """Nobody knows who has the text; the message says how to send all the same."""
    on_disk.sent("first", [A])
    for plan in (Path(on_disk.place.uri) / "first/plans").iterdir():
        plan.unlink()
    with pytest.raises(InputError, match=r"campaign 'first' .* is missing.*--repeat-after 0"):
        repeats(on_disk)
    (Path(on_disk.place.uri) / "first/campaign.json").write_text("{")
    with pytest.raises(InputError, match=r"campaign 'first' can't be read.*damaged.*--repeat-after 0"):
        repeats(on_disk)


def _written(folders: CampaignFolders, campaign: str, at: float) -> None:
    os.utime(Path(folders.place.uri) / campaign / "campaign.json", (at, at))


def test_results_take_the_place_of_many_send_records(on_disk: CampaignFolders) -> None:
    """What they don't say was texted is looked up in the ledger: they may be older."""
    many = [f"65812345{number:02}" for number in range(50)]
    on_disk.sent("first", many[:48])
    on_disk.plan("second", many)
    for chunk in range(25):
        on_disk.record("second", chunk, Settlement.ACCEPTED, failed=(0,) if chunk == 0 else ())
    results = pl.DataFrame(
        {
            "phone_number": [f"+{number}" for number in many[:48]],
            "status": ["failed", *["accepted"] * 47],
            "chunk": [row // 2 for row in range(48)],
            "sent_at": [datetime.fromtimestamp(NOW, UTC)] * 48,
        },
        schema_overrides={"status": RESULTS_SCHEMA["status"], "chunk": pl.UInt32},
    )
    folder = Path(on_disk.place.uri) / "second"
    results.write_parquet(folder / "results.parquet")
    for chunk in range(1, 24):
        (folder / f"records/{chunk:06d}-0-accepted").write_text("not to be read")
    _written(on_disk, "first", NOW - HOUR)
    assert repeats(on_disk, many) == {"00": "first", **{number[-2:]: "second" for number in many[1:]}}
