"""Reading the next chunks: opt-outs are looked at again after a wait, and a list that can't be read stops the run."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.planning.exclusions import Exclusions
from globe_sms.tasks.sending.chunk_reader import LOOK_AGAIN_AFTER, ChunkReader
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.unit.planned_csv import planned


class Setting:
    """Two chunks of two numbers, a clock, and opt-outs that a test changes."""

    def __init__(self, folder: Path, patience: float = 0.0) -> None:
        self.plan = planned(folder, "phone\n6581234500\n6581234501\n6581234502\n6581234503\n")
        self.now, self.looks, self.failures = 0.0, 0, 0
        self.files: tuple[Path, ...] = ()
        self.stop, self.progress, self._folder = StopSignal(), Progress(), folder
        self.exclusions = Exclusions((self._look,), folder, clock=lambda: self.now)
        self.exclusions.look(self.plan)
        self.progress.expect(4)
        self.read = ChunkReader(self.plan, self.exclusions, self.stop, self.progress, patience=patience)

    def _look(self, _rows: pl.LazyFrame) -> Sequence[Path]:
        self.looks += 1
        if self.failures:
            self.failures -= 1
            raise InputError("optouts.csv: the file doesn't exist: check the path")
        return self.files

    def opt_out(self, number: int) -> None:
        """Somebody opts out."""
        path = self._folder / f"out-{number}.parquet"
        pl.DataFrame({"e164": [6581234500 + number], "source": ["list"]}).write_parquet(path)
        self.files = (*self.files, path)


@pytest.mark.parametrize(("waited", "left_out"), [(LOOK_AGAIN_AFTER - 1, {}), (LOOK_AGAIN_AFTER, {1: "list"})])
def test_after_some_minutes_opt_outs_are_looked_at_again(
    waited: float, left_out: dict[int, str], tmp_path: Path
) -> None:
    """A wait for the hours is a wait; between chunks of a busy minute nothing is read."""
    setting = Setting(tmp_path)
    assert [dict(make().left_out) for make in setting.read([0]).values()] == [{}]
    assert setting.looks == 2  # one for the preview, one as the stretch begins
    setting.opt_out(3)
    setting.now = waited
    assert [dict(make().left_out) for make in setting.read([1]).values()] == [left_out]
    assert setting.progress.snapshot.total == 4 - len(left_out)


def test_a_list_that_cannot_be_read_stops_the_run_and_no_chunk_is_opened(tmp_path: Path) -> None:
    """Nobody is texted on yesterday's opt-outs."""
    setting = Setting(tmp_path)
    setting.failures = 1
    assert setting.read([0]) == {}
    assert setting.stop.stop is not None
    assert setting.stop.stop.message.startswith("optouts.csv: the file doesn't exist")
    assert "run the same command again" in setting.stop.stop.message


def test_a_list_that_is_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """As while it is being replaced."""
    setting = Setting(tmp_path, patience=30.0)
    setting.failures = 1
    assert list(setting.read([0])) == [0]
    assert (setting.looks, setting.stop.stop) == (3, None)
