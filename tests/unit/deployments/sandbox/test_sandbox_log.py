"""The log of arrivals, the tests' evidence."""

from dataclasses import replace
from pathlib import Path

from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival, ArrivalLog

ARRIVAL = Arrival(
    sequence=1,
    wall=1_800_000_000.5,
    monotonic=10.0,
    key_id="k",
    nonce="n",
    task_id="c-0-1",
    request_id="r",
    in_air=1,
    admitted=True,
    code="OK",
    status=200,
    fault=None,
    duration=0.1,
    count=2,
    accepted_count=2,
    failed_count=0,
    sender="",
    numbers=["6581234567", "85251234567"],
    accepted={"6581234567": "1", "85251234567": "2"},
    failed=[],
)


def test_an_arrival_is_on_disk_when_it_is_written(tmp_path: Path) -> None:
    """Nothing stays in a buffer of the process."""
    log = ArrivalLog(tmp_path / "log")
    log.write(ARRIVAL)
    assert [Arrival.read(line) for line in log.path.read_text().splitlines()] == [ARRIVAL]
    log.close()


def test_numbers_accepted_twice_are_counted(tmp_path: Path) -> None:
    """Even if the log doesn't contain numbers."""
    log = ArrivalLog(tmp_path / "log", log_numbers=False)
    log.write(ARRIVAL)
    log.write(replace(ARRIVAL, accepted={"6581234567": "3", "33612345678": "4"}))
    assert log.stats().accepted_twice == 1
    assert log.stats().accepted_numbers == 4
    assert "6581234567" not in log.path.read_text()
    log.close()


def test_a_killed_gateway_continues_its_log(tmp_path: Path) -> None:
    """A line cut by the kill is dropped; counts and sequence continue."""
    first = ArrivalLog(tmp_path / "log")
    first.write(replace(ARRIVAL, sequence=first.next_sequence()))
    first.close()
    with first.path.open("ab") as file:
        file.write(b'{"sequence": 2, "wall"')
    second = ArrivalLog(tmp_path / "log")
    second.write(replace(ARRIVAL, sequence=second.next_sequence()))
    assert [Arrival.read(line).sequence for line in second.path.read_text().splitlines()] == [1, 2]
    assert second.stats().accepted_twice == 2
    second.close()


def test_the_busiest_second_is_counted_per_account_and_in_total(tmp_path: Path) -> None:
    """A throttled call counts as an arrival, but not as admitted."""
    log = ArrivalLog(tmp_path / "log")
    log.write(ARRIVAL)
    log.write(replace(ARRIVAL, monotonic=10.5, admitted=False, code="Throttling.User", accepted={}, accepted_count=0))
    log.write(replace(ARRIVAL, monotonic=10.9, key_id="other"))
    stats = log.stats()
    assert (stats.max_in_second, stats.max_admitted_in_second, stats.throttled) == (3, 2, 1)
    assert stats.accounts["k"] == {"calls": 2, "admitted": 1, "max_in_second": 2, "max_admitted_in_second": 1}
    log.close()


def test_a_reset_log_is_empty(tmp_path: Path) -> None:
    """On disk and in its counts; duplicates are counted from zero."""
    log = ArrivalLog(tmp_path / "log")
    log.write(ARRIVAL)
    log.reset()
    assert log.path.read_bytes() == b""
    assert log.stats().calls == 0
    log.write(ARRIVAL)
    assert log.stats().accepted_twice == 0
    log.close()
