"""Ten million generated recipients agree with `phonenumbers` (`make conformance`; fewer in the test suite)."""

import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import phonenumbers
import pytest
from libphonenumber_verdicts import expected
from number_spellings import spellings
from table_verdicts import rows_of

from globe_sms.tasks.numbers.libphonenumber import cache_patterns
from globe_sms.tasks.numbers.region_table import compiled_table

LONG = os.environ.get("GLOBE_SMS_CONFORMANCE") == "long"
RECIPIENTS = 10_000_000
SEED_OF_THE_SHORT_FORM = 318_252_879
BATCH = 5_000
# The regions of the short form: each covers something special, such as leading zeros after a shared country code.
REGIONS_ALWAYS = (None, None, "SG", "GB")


def disagreements(seed: int, default_region: str | None, count: int, folder: Path) -> list[tuple[object, ...]]:
    """Validate generated recipients, and return those for which `phonenumbers` gives another verdict."""
    cache_patterns()
    source = spellings(seed, default_region)
    found: list[tuple[object, ...]] = []
    if compiled_table(default_region, folder) is None:
        return [(default_region, "no table")]
    for _ in range(-(-count // BATCH)):
        recipients = list(islice(source, BATCH))
        rows = rows_of(recipients, default_region, folder)
        for recipient, row in zip(recipients, rows, strict=True):
            if row != expected(recipient, default_region):
                found.append((seed, default_region, recipient, row))
    return found


@pytest.mark.slow
@pytest.mark.timeout(0 if LONG else 300)
def test_the_table_agrees_with_libphonenumber(table_folder: Path) -> None:
    """No disagreement on generated recipients: 20,000, and in the long form 10 million, in all default regions.

    The long form takes some 6 minutes on two cores, compiling each region's table included.
    """
    seed = random.SystemRandom().randrange(2**32) if LONG else SEED_OF_THE_SHORT_FORM
    seed = int(os.environ.get("GLOBE_SMS_CONFORMANCE_SEED") or seed)
    regions = (*[None] * 5, *sorted(phonenumbers.SUPPORTED_REGIONS)) if LONG else REGIONS_ALWAYS
    count = -(-RECIPIENTS // len(regions)) if LONG else BATCH
    total = -(-count // BATCH) * BATCH * len(regions)
    sys.stdout.write(f"seed {seed}: {total:,} recipients, {len(set(regions))} default regions\n")
    jobs = [(seed + place, region, count, table_folder) for place, region in enumerate(regions)]
    start = time.monotonic()
    if LONG:
        compiled_table(None, table_folder)  # the rows that all regions share are compiled once
        with ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=get_context("spawn")) as pool:
            results = list(pool.map(disagreements, *zip(*jobs, strict=True)))
    else:
        results = [disagreements(*job) for job in jobs]
    found = [disagreement for result in results for disagreement in result]
    sys.stdout.write(f"{len(found)} disagreements, {time.monotonic() - start:.0f} s\n")
    assert found == []
