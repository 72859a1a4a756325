import polars as pl
import pytest

from globe_sms.tasks.campaign.task_ids import chunk_of_task, is_task_of, task_id


def test_every_call_of_a_chunk_has_its_own_id() -> None:
    ids = [task_id("spring", 12, submission, tries) for submission in (0, 1) for tries in (1, 2)]
    assert ids == ["spring-12-1", "spring-12-2", "spring-12-101", "spring-12-102"]


@pytest.mark.parametrize(
    ("text", "chunk"),
    [
        ("spring-12-101", 12),
        ("spring-2-12-101", None),
        ("spring-12", None),
        ("autumn-12-1", None),
        ("spring-x-1", None),
    ],
)
def test_an_id_leads_back_to_its_chunk_and_others_ids_to_none(text: str, chunk: int | None) -> None:
    found = pl.select(task_id=pl.lit(text)).select(chunk_of_task("spring")).item()
    assert (found, is_task_of("spring", text)) == (chunk, chunk is not None)
