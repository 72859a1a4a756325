"""The two forms of the suite: short for every day and CI, long for `make chaos`."""

import os
import random

import pytest

LONG = os.environ.get("GLOBE_SMS_CHAOS") == "long"
_SEED = "GLOBE_SMS_CHAOS_SEED"

long_form = pytest.mark.skipif(not LONG, reason="takes minutes: make chaos, or GLOBE_SMS_CHAOS=long")

# Prefect's UI answers late on two busy cores, and some of its faults are its own: a commit doesn't pass or fail by it.
in_browser = pytest.mark.skipif(
    not LONG and "GLOBE_SMS_PICTURES" not in os.environ, reason="takes minutes: make chaos, or make screenshots"
)


def dice() -> tuple[random.Random, str]:
    """Dice for one test, and what to say so that the same throws can be had again."""
    seed = int(os.environ.get(_SEED) or random.SystemRandom().randrange(1_000_000))
    return random.Random(seed), f"{_SEED}={seed}"
