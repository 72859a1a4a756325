"""Who has opted out by replies: the last word counts, in whatever order and however often replies come."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.tasks.planning.opt_outs import OptOutLists, check_opt_outs, identities_of
from globe_sms.tasks.replies.read_reply import read_reply
from globe_sms.tasks.replies.stored_replies import StoredReplies
from globe_sms.tasks.store import LocalStore, Stored
from globe_sms.tasks.vocabulary.errors import InputError
from tests.unit.planned_csv import no_s3, planned, written

NUMBER = 6581234567
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def reply(text: str, at: str = "10:00:00", number: str = str(NUMBER), **more: Any) -> dict[str, Any]:
    return {"phone_number": number, "content": text, "send_time": f"2026-11-30 {at}", "sequence_id": 1, **more}


class Place:
    """A place of receipts on disk, as the endpoint leaves it."""

    def __init__(self, folder: Path) -> None:
        self.store = LocalStore(folder)
        self.store.put_if_absent("_started/1.json", b"{}")
        self._objects = 0

    def keep(self, *replies: Mapping[str, Any]) -> None:
        self._objects += 1
        lines = "".join(f"{json.dumps(each)}\n" for each in replies)
        self.store.put_if_absent(f"replies/2026/11/30/02/{self._objects:06d}.ndjson", lines.encode())

    def opted_out(self) -> list[int]:
        found = StoredReplies(self.store, now=lambda: NOW)
        found.look()
        return sorted(found.opted_out)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "receipts"
    folder.mkdir()
    return Place(folder)


def test_the_last_word_counts_by_the_replies_own_times(place: Place) -> None:
    """A START that came before the STOP, though it was pushed after it, is over."""
    place.keep(reply("STOP", "10:00:00"), reply("hello", "11:00:00"))
    place.keep(reply("START", "09:59:59"))
    assert place.opted_out() == [NUMBER]
    place.keep(reply("START", "10:00:01"))
    assert place.opted_out() == []
    place.keep(reply("STOP", "10:00:00"))  # pushed again
    assert place.opted_out() == []
    place.keep(reply("Stop", "10:00:02"))
    assert place.opted_out() == [NUMBER]


class InMemory(LocalStore):
    """Keeps replies in memory: a file system would be most of what these tests take."""

    def __init__(self, said: Sequence[tuple[int, str, int]]) -> None:
        super().__init__(Path("/nowhere"))
        self.shown = 0
        self._objects = [json.dumps(reply(word, f"10:00:0{at}", str(number))).encode() for number, word, at in said]

    def list(self, prefix: str) -> Iterator[str]:
        """The replies so far, after the endpoint's start."""
        return iter(["_started/1"] if prefix[0] == "_" else [f"replies/{each:03d}" for each in range(self.shown)])

    def get(self, key: str) -> Stored:
        """A reply."""
        return Stored(self._objects[int(key[-3:])], "1", 0.0)


NUMBERS = (6581234567, 6581234568)
WORDS = st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(["STOP", "START", "hi"]), st.integers(0, 9)))


@settings(max_examples=40)
@given(said=WORDS, data=st.data())
def test_order_repetition_and_grouping_change_nothing(said: list[tuple[int, str, int]], data: st.DataObject) -> None:
    """The outcome is that of each number's latest STOP or START, and STOP at the same second."""
    words = [(number, at, word == "STOP") for number, word, at in said if word != "hi"]
    last = {number: max((at, out) for who, at, out in words if who == number) for number, _, _ in words}
    wanted = sorted(number for number, (_, out) in last.items() if out)
    store = InMemory(data.draw(st.permutations(said + said[:3])))
    looking = StoredReplies(store, now=lambda: NOW)
    for store.shown in sorted({data.draw(st.integers(0, len(said))), len(said) + len(said[:3])}):
        looking.look()
    assert sorted(looking.opted_out) == wanted


def test_a_time_that_is_not_one_or_has_not_come_keeps_somebody_out_and_never_puts_them_back(place: Place) -> None:
    """A START of 2099 would undo every later STOP."""
    place.keep(
        reply("STOP"), {**reply("START"), "send_time": "2099-01-01 00:00:00"}, {**reply("START"), "send_time": ""}
    )
    place.keep({**reply("STOP", number="6591234567"), "send_time": "soon"}, reply("START", "11:00:00", "6591234567"))
    assert place.opted_out() == [NUMBER, 6591234567]
    found = StoredReplies(place.store, now=lambda: NOW)
    found.look()
    assert (found.counts.stop, found.counts.start, found.counts.not_understood, found.counts.total) == (1, 1, 3, 5)


@pytest.mark.parametrize(
    ("written_as", "e164"),
    [("6581234567", NUMBER), ("+65 8123-4567", NUMBER), ("006581234567", NUMBER), ("1381111****", None), ("", None)],
)
def test_a_number_is_read_with_its_country_code(written_as: str, e164: int | None) -> None:
    """As receipts have it; Alibaba's documents don't say how replies have it."""
    found = read_reply(reply("STOP", number=written_as))
    assert (found.e164, found.is_known) == (e164, e164 is not None)


def test_a_number_without_its_country_code_is_counted_as_not_understood(place: Place) -> None:
    """Read with one it's nobody's number, and whom it means is for people to find out."""
    place.keep(reply("STOP", number="81234567"))
    found = StoredReplies(place.store, now=lambda: NOW)
    found.look()
    assert (found.counts.stop, found.counts.not_understood) == (0, 1)


def test_the_time_is_beijings() -> None:
    """As in every date without a zone that Alibaba writes."""
    assert read_reply(reply("STOP"), now=NOW).at == datetime(2026, 11, 30, 2, tzinfo=UTC)
    assert read_reply(reply("STOP"), now=NOW - timedelta(days=1)).at is None


def test_an_opt_out_list_may_be_the_replies_of_a_place(place: Place, tmp_path: Path) -> None:
    """The reason of the rows is where the replies are; and only what is new is read again."""
    entry = f"{place.store.uri}#replies"
    check_opt_outs([entry], no_s3)
    before = identities_of([entry], no_s3)
    place.keep(reply("STOP"))
    assert identities_of([entry], no_s3) != before
    plan = planned(tmp_path, "phone\n+6581234567\n+6581234568\n", suppress=[entry])
    reasons = plan.scan().select("reason").collect()["reason"].to_list()
    assert reasons == [f"{place.store.uri}/replies", None]
    lists = OptOutLists((entry,), no_s3, tmp_path)
    (file,) = lists.files()
    place.keep(reply("thanks", "11:00:00"))
    assert lists.files() == (file,)
    place.keep(reply("START", "11:00:00"))
    (changed,) = lists.files()
    assert (changed != file, pl.read_parquet(changed).height) == (True, 0)


def test_a_place_without_an_endpoint_stops_the_campaign(tmp_path: Path) -> None:
    """A typing mistake would leave nobody out; a place where nobody has replied yet is fine."""
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(InputError, match="never wrote there, so nobody's STOP would be known"):
        OptOutLists((f"{tmp_path}/elsewhere#replies",), no_s3, tmp_path).files()
    with pytest.raises(InputError, match=r"--suppress: the directory .* doesn't exist"):
        check_opt_outs([f"{tmp_path}/nowhere#replies"], no_s3)


def test_a_place_that_cannot_be_read_stops_the_campaign(place: Place, tmp_path: Path) -> None:
    """It isn't one without replies: nobody's STOP would be known. Also at a later look, whatever was read before."""
    place.keep(reply("STOP"))
    entry = f"{place.store.uri}#replies"
    lists = OptOutLists((entry,), no_s3, tmp_path)
    lists.files()
    replies = Path(place.store.uri, "replies")
    replies.rename(tmp_path / "elsewhere")
    replies.symlink_to(replies)  # a folder that nobody can read, not even root
    for look in (lists.files, lambda: check_opt_outs([entry], no_s3), lambda: identities_of([entry], no_s3)):
        with pytest.raises(InputError, match="the replies can't be read"):
            look()


def test_a_reply_that_cannot_be_read_stops_the_campaign(place: Place, tmp_path: Path) -> None:
    place.keep(reply("STOP"))
    lists = OptOutLists((f"{place.store.uri}#replies",), no_s3, tmp_path)
    (stored,) = Path(place.store.uri, "replies").rglob("*.ndjson")
    stored.unlink()
    stored.mkdir()
    stored.with_suffix(".gz").write_bytes(b"\x1f\x8b damaged")
    with pytest.raises(InputError):
        lists.files()


def test_a_stop_from_a_number_that_no_table_has_counts(place: Place) -> None:
    """A prefix that an operator allows may be newer than the tables."""
    place.keep(reply("STOP", number="6571234567"))
    assert not read_reply(reply("STOP", number="6571234567")).is_known
    assert place.opted_out() == [6571234567]


def test_compressed_replies_count_and_what_is_none_is_counted_apart(place: Place) -> None:
    """Another system may have put them there; an erased reply is nobody's any more."""
    lines = "\n".join(map(json.dumps, [reply("STOP"), {"from": "x"}, {"phone_number": "~abc", "send_time": "x"}]))
    place.store.put_if_absent("replies/others.ndjson.gz", gzip.compress(f"{lines}\nno JSON".encode()))
    found = StoredReplies(place.store, now=lambda: NOW)
    found.look()
    assert ([*found.opted_out], found.counts.not_understood, found.counts.total) == ([NUMBER], 2, 3)


def test_lists_and_replies_stand_beside_each_other(place: Place, tmp_path: Path) -> None:
    """A number that another list has stays out, whatever its START says."""
    place.keep(reply("START"))
    other = written(tmp_path / "out.csv", "phone\n+6581234567\n")
    lists = OptOutLists((f"{place.store.uri}#replies", other), no_s3, tmp_path)
    assert [pl.read_parquet(file)["e164"].to_list() for file in lists.files()] == [[], [NUMBER]]
