"""The names that columns of the lists have in the results."""

from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA, names_in_results

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
