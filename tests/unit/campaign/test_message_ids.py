"""Message ids are stored by position, and read one by one or in columns: the same ids."""

import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.campaign.message_ids import MessageIds, id_lists

IDS = st.dictionaries(st.integers(0, 6), st.one_of(st.text(alphabet='"\\[]n,ul\né^1', max_size=6), st.just("null")))


@given(st.lists(IDS, max_size=5))
def test_ids_are_read_as_they_were(records: list[Mapping[int, str]]) -> None:
    """Whatever they contain, also where a number in between has none."""
    stored = [MessageIds.of(ids) for ids in records]
    assert stored == records
    listed = [
        {position: value for position, value in enumerate(ids) if value is not None}
        for ids in id_lists([each.stored for each in stored])
    ]
    assert listed == records


def test_they_are_a_list_in_json() -> None:
    """Other programs may read them."""
    assert json.loads(MessageIds.of({0: "a", 2: "b"}).stored) == ["a", None, "b"]
