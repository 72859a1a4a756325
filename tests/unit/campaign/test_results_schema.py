"""The names that columns of the lists have in the results."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA, digits_in, names_in_results

NAMES = st.sampled_from(["id", "ID", "status", "Status", "list_status", "LIST_list_status", "row", "variant", "Zoë"])


def test_a_name_of_the_results_own_gets_a_prefix() -> None:
    """Also one that differs in case only, since SQL engines take both for one."""
    assert dict(names_in_results(["customer_id", "status", "Row"])) == {
        "customer_id": "customer_id",
        "status": "list_status",
        "Row": "list_Row",
    }


@given(st.lists(NAMES, unique=True))
def test_no_two_columns_of_the_results_have_one_name(kept: list[str]) -> None:
    names = names_in_results(kept)
    assert list(names) == kept
    everything = [name.casefold() for name in (*RESULTS_SCHEMA, *names.values())]
    assert len(set(everything)) == len(everything)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(["+65 8123-4567", None]),
        pl.Series([6581234567, None]),
        pl.Series(["+6581234567", None], dtype=pl.Enum(["+6581234567"])),
        pl.Series([b"+6581234567", None]),
        pl.Series([b"+6581234567\xff", None]),
        pl.Series([["+6581234567"], None]),
        pl.Series([[b"+6581234567"], None]),
        pl.Series([{"mobile": b"+6581234567"}, None]),
    ],
)
def test_a_number_is_found_in_a_column_of_any_type(column: pl.Series) -> None:
    """By its digits, so that it's neither published nor left where it was to be forgotten."""
    digits = digits_in("column", column.dtype)
    assert digits is not None
    has_number = digits.str.contains("6581234567").fill_null(value=False)
    assert column.to_frame("column").select(has_number).to_series().to_list() == [True, False]
