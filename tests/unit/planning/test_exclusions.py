"""Rows of the plan that must not be presented now: found again before each stretch, taken off what is left."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign.remaining_positions import Portion
from globe_sms.tasks.planning.exclusions import Exclusions, take_off
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.planning.left_out import hash_texts
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.planned_csv import planned

ROWS = "phone,name\n" + "".join(f"65812345{number:02},N{number}\n" for number in range(7))


class Source:
    """Files of people to leave out, which a test changes."""

    def __init__(self, folder: Path) -> None:
        self.files: list[Path] = []
        self.looks = 0
        self.error: InputError | None = None
        self._folder = folder

    def __call__(self, _rows: pl.LazyFrame) -> Sequence[Path]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return tuple(self.files)

    def add(self, reason: str, *numbers: int) -> None:
        """Leave out these numbers."""
        self.write(pl.DataFrame({"e164": [6581234500 + number for number in numbers], "source": reason}))

    def write(self, frame: pl.DataFrame) -> None:
        """Add a file."""
        path = self._folder / f"out-{len(self.files)}.parquet"
        frame.write_parquet(path)
        self.files.append(path)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Nobody is left out at first."""
    return Source(tmp_path)


def plan_of(folder: Path, **options: object) -> FrozenPlan:
    """Seven numbers, three a call."""
    return planned(folder, ROWS, numbers_per_call=3, **options)


def test_a_look_finds_rows_by_chunk_and_position_with_their_reasons(tmp_path: Path, source: Source) -> None:
    """A row on two lists has the first one's reason."""
    exclusions, plan = Exclusions((source,), tmp_path), plan_of(tmp_path)
    assert exclusions.look(plan).of_chunks(range(3)) == {}
    source.add("first", 1, 5)
    source.add("second", 5, 6)
    excluded = exclusions.look(plan)
    assert excluded.of_chunks(range(3)) == {0: {1: "first"}, 1: {2: "first"}, 2: {0: "second"}}
    assert excluded.of_chunks([1]) == {1: {2: "first"}}
    chunks = plan.open_chunks([1, 2], excluded.of_chunks([1, 2]))
    assert [dict(chunks[index]().left_out) for index in (1, 2)] == [{2: "first"}, {0: "second"}]


def test_nothing_is_joined_again_while_no_file_has_changed(tmp_path: Path, source: Source) -> None:
    """And what this run's plan was made with is in the plan."""
    exclusions, plan = Exclusions((source,), tmp_path), plan_of(tmp_path)
    source.add("in the plan", 0)
    exclusions.planned_with(source.files)
    assert exclusions.look(plan).of_chunks(range(3)) == {}
    source.add("new", 1)
    found = exclusions.look(plan)
    assert exclusions.look(plan) is found
    assert found.of_chunks(range(3)) == {0: {1: "new"}}
    source.files.pop()
    assert exclusions.look(plan).of_chunks(range(3)) == {}


def test_a_list_that_cannot_be_read_is_an_error_and_no_look(tmp_path: Path, source: Source) -> None:
    """What the last look found stays for the results."""
    now = [100.0]
    exclusions, plan = Exclusions((source,), tmp_path, clock=lambda: now[0]), plan_of(tmp_path)
    source.error = InputError("gone")
    with pytest.raises(InputError):
        exclusions.look(plan)
    assert exclusions.seconds_ago is None
    source.error = None
    exclusions.look(plan)
    now[0] += 7
    assert exclusions.seconds_ago == 7


def test_countries_and_texts_can_be_left_out_too(tmp_path: Path, source: Source) -> None:
    """By the columns that the file has."""
    plan = plan_of(tmp_path, message="Hi {name}")
    texts = pl.DataFrame({"e164": [6581234503, 6581234504], "message": ["Hi N3", "Hi somebody else"]})
    source.write(texts.select("e164", hash_texts(pl.col("message")), source=pl.lit("repeat:earlier")))
    exclusions = Exclusions((source,), tmp_path)
    assert exclusions.look(plan).of_chunks(range(3)) == {1: {0: "repeat:earlier"}}
    source.write(pl.DataFrame({"region": ["SG"], "source": ["country_denied"]}))
    found = exclusions.look(plan).of_chunks(range(3))
    assert found == {
        0: dict.fromkeys(range(3), "country_denied"),
        1: {0: "repeat:earlier", 1: "country_denied", 2: "country_denied"},
        2: {0: "country_denied"},
    }


def test_what_is_left_is_less_by_who_is_left_out(tmp_path: Path, source: Source) -> None:
    """A chunk that loses everybody isn't left, and of a part of one only its own positions count."""
    plan = plan_of(tmp_path)
    source.add("list", 0, 1, 2, 3, 5)
    excluded = Exclusions((source,), tmp_path).look(plan)
    whole = RemainingChunks((0, 1, 2), (), {}, 7, 14)
    left = take_off(whole, plan, excluded, segments=2)
    assert (left.chunks, left.numbers, left.parts, left.left_out) == ((1, 2), 2, 4, {"list": 5})
    part = History((), left=(Portion((1, 2)),))
    left = take_off(RemainingChunks((1,), (1,), {1: part}, 2, 2), plan, excluded, segments=1)
    assert (left.chunks, left.resent, left.numbers, left.parts) == ((1,), (1,), 1, 1)
    gone = History((), left=(Portion((2,)),))
    left = take_off(RemainingChunks((1,), (1,), {1: gone}, 1, 1), plan, excluded, segments=1)
    assert (left.chunks, left.resent, left.numbers, left.parts) == ((), (), 0, 0)


def test_each_rows_own_parts_are_taken_off(tmp_path: Path, source: Source) -> None:
    """Personal texts differ in length."""
    rows = f"phone,name\n6581234500,{'x' * 200}\n6581234501,A\n"
    plan = planned(tmp_path, rows, message="Hi {name}")
    source.add("list", 0)
    left = take_off(
        RemainingChunks((0,), (), {}, 2, 3), plan, Exclusions((source,), tmp_path).look(plan), segments=None
    )
    assert (left.numbers, left.parts) == (1, 1)
