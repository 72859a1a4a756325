"""The results of chunks that were presented in parts, and of numbers that their calls left out."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyarrow import parquet
from pyarrow.types import is_dictionary

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.messages import parts_of
from globe_sms.tasks.results.results_of_chunks import account_for
from globe_sms.tasks.sending.find_remaining import find_remaining
from globe_sms.tasks.store import LocalStore
from tests.unit.inquiry.kept_campaigns import KeptCampaign

NUMBERS = [f"+658123456{digit}" for digit in range(4)]  # two chunks of two
SHOWN = ("status", "reason", "message_id", "response_code", "attempts")
FIRST: Any = {"positions": (0,)}
SECOND: Any = {"positions": (1,)}
NOT_PRESENTED = ("not_sent", "stopped", None, None, None)


@pytest.fixture
def kept(local_store: LocalStore, tmp_path: Path) -> KeptCampaign:
    return KeptCampaign(local_store, "camp", NUMBERS, tmp_path)


def rows(kept: KeptCampaign, folder: Path) -> list[tuple[object, ...]]:
    """The rows of the first chunk; the second one is never presented."""
    path, _ = account_for(kept.plan, kept.ledger, kept.store, folder, campaign="camp", not_sent="stopped", segments=1)
    found = pl.read_parquet(path)
    assert found.height == len(NUMBERS)
    assert found.select(SHOWN).rows()[2:] == [NOT_PRESENTED] * 2
    return found.select(SHOWN).rows()[:2]


def left(kept: KeptCampaign, *, resend: bool = False) -> tuple[list[tuple[int, ...]] | None, int]:
    """What is left of the first chunk, and how many numbers of all."""
    found = find_remaining(
        kept.plan, kept.ledger, {}, resend=resend, canary=0, after_canary=False, parts=pl.len() * parts_of("Hi")
    )
    assert found.parts == found.numbers
    portions = found.histories[0].left
    assert portions is None or (0 in found.chunks) == bool(portions)
    return None if portions is None else [portion.positions for portion in portions], found.numbers


def test_each_half_has_its_own_outcome(kept: KeptCampaign, tmp_path: Path) -> None:
    kept.claim(0)
    kept.answer(0, Settlement.SPLIT, code="MOBILE_NUMBER_ILLEGAL")
    assert rows(kept, tmp_path) == [("not_sent", "stopped", None, "MOBILE_NUMBER_ILLEGAL", 1)] * 2
    assert left(kept) == ([(0,), (1,)], 4)
    kept.claim(0, 1, **FIRST)
    kept.answer(0, Settlement.ACCEPTED, 1, **FIRST, code="OK", message_ids={0: "m"})
    assert left(kept) == ([(1,)], 3)
    kept.claim(0, 2, **SECOND)
    assert rows(kept, tmp_path) == [("accepted", None, "m", "OK", 2), ("unknown", "interrupted", None, None, 2)]
    assert left(kept) == ([], 2)
    assert left(kept, resend=True) == ([(1,)], 3)
    kept.answer(0, Settlement.REFUSED, 2, **SECOND, reason="MOBILE_NUMBER_ILLEGAL", code="MOBILE_NUMBER_ILLEGAL")
    assert rows(kept, tmp_path)[1] == ("failed", "MOBILE_NUMBER_ILLEGAL", None, "MOBILE_NUMBER_ILLEGAL", 2)
    assert left(kept, resend=True) == ([], 2)


def test_the_file_has_the_contracts_types_for_every_reader(kept: KeptCampaign, tmp_path: Path) -> None:
    """Whatever types its columns were written from."""
    kept.claim(0)
    kept.answer(0, Settlement.ACCEPTED, code="OK", message_ids={0: "m", 1: "n"})
    path, _ = account_for(kept.plan, kept.ledger, kept.store, tmp_path, campaign="camp", not_sent="stopped", segments=1)
    assert pl.read_parquet_schema(path) == RESULTS_SCHEMA
    assert pl.read_parquet(path).select("campaign", "region", "response_code").row(0) == ("camp", "SG", "OK")
    arrow = parquet.read_schema(path)
    texts = [name for name, dtype in RESULTS_SCHEMA.items() if dtype == pl.String]
    assert not any(is_dictionary(arrow.field(name).type) for name in texts)


def test_a_part_that_was_presented_alone_leaves_the_rest_unpresented(kept: KeptCampaign, tmp_path: Path) -> None:
    """A run with fewer numbers a call, killed after the first of them."""
    kept.claim(0, 0, **FIRST)
    assert rows(kept, tmp_path) == [("unknown", "interrupted", None, None, 1), NOT_PRESENTED]
    assert left(kept) == ([(1,)], 3)


def test_what_was_refused_after_a_doubt_stays_unknown(kept: KeptCampaign, tmp_path: Path) -> None:
    """A refusal doesn't undo an earlier presentation, of a half neither."""
    kept.claim(0)
    kept.claim(0, 1, **FIRST)
    kept.answer(0, Settlement.REFUSED, 1, **FIRST, reason="MOBILE_NUMBER_ILLEGAL")
    kept.claim(0, 2, **SECOND)
    kept.answer(0, Settlement.ACCEPTED, 2, **SECOND, code="OK", message_ids={1: "m"})
    assert rows(kept, tmp_path) == [("unknown", "no_reply", None, None, 2), ("accepted", None, "m", "OK", 2)]
    assert left(kept, resend=True) == ([], 2)


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_number_that_its_call_left_out_is_suppressed(
    kept: KeptCampaign, tmp_path: Path, *, is_answered: bool
) -> None:
    """Nothing of the answer is the number's, and it's never presented again."""
    out: Any = {"left_out": {1: "s3://lists/optout.csv"}}
    kept.claim(0, **out)
    if is_answered:
        kept.answer(0, Settlement.ACCEPTED, code="OK", message_ids={0: "m"}, **out)
    first = ("accepted", None, "m", "OK", 1) if is_answered else ("unknown", "interrupted", None, None, 1)
    assert rows(kept, tmp_path) == [first, ("suppressed", "s3://lists/optout.csv", None, None, None)]
    assert left(kept, resend=True)[1] == (2 if is_answered else 3)


def test_a_receipt_settles_the_presentation_that_it_is_of(kept: KeptCampaign) -> None:
    """The other half was never taken: it goes out."""
    kept.claim(0)
    kept.answer(0, Settlement.SPLIT)
    kept.claim(0, 1, **FIRST)
    found = find_remaining(
        kept.plan, kept.ledger, {0: {1}}, resend=True, canary=0, after_canary=False, parts=pl.len() * 1
    )
    assert [portion.positions for portion in found.histories[0].left or ()] == [(1,)]
    lost = find_remaining(
        kept.plan, kept.ledger, {0: {7}}, resend=True, canary=0, after_canary=False, parts=pl.len() * 1
    )
    assert (lost.histories[0].left, lost.chunks) == ((), (1,))
