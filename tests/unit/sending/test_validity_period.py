import math

import pytest

from globe_sms.tasks.sending.validity_period import TooLateError, validity_period


@pytest.mark.parametrize(
    ("closes", "longest", "seconds"),
    [
        (math.inf, None, None),
        (math.inf, 300, 300),
        (1_002.0, None, 1),
        (1_002.9, None, 1),
        (1_061.0, None, 60),
        (1_061.0, 300, 60),
        (2_000.0, 300, 300),
        (1_000.0 + 86_400, None, 14_400),
    ],
)
def test_a_text_is_valid_as_long_as_it_may_be_handed_on(
    closes: float, longest: int | None, seconds: int | None
) -> None:
    """Less a second for the call's way, in whole seconds, and in the API's range."""
    assert validity_period(closes, 1_000.0, longest) == seconds


@pytest.mark.parametrize("closes", [1_001.99, 1_000.0, 900.0])
def test_what_is_too_late_for_the_api_is_not_presented(closes: float) -> None:
    with pytest.raises(TooLateError):
        validity_period(closes, 1_000.0, None)
