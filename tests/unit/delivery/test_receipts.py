"""Delivery receipts: found, read once, and counted."""

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globe_sms.tasks.delivery.json_scan import Junk, Scan
from globe_sms.tasks.delivery.receipt_bookmarks import Marks
from globe_sms.tasks.delivery.receipt_objects import find_receipts
from globe_sms.tasks.delivery.receipts import CampaignReader
from globe_sms.tasks.delivery.receipts_reading import Reading
from globe_sms.tasks.store import LocalStore, Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def receipt(number: int, **fields: Any) -> dict[str, Any]:
    """A receipt of the campaign `spring` as Alibaba writes them."""
    return {
        "To": f"65810{number:05}",
        "SendDate": "Thu, 25 Nov 2021 10:25:00 +0800",
        "ReceiveDate": "Thu, 25 Nov 2021 10:25:33 +0800",
        "Status": "1",
        "ErrorCode": "success",
        "TaskId": f"spring-{number // 10}-1",
        "SmsSize": "1",
        "MessageId": str(10**15 + number),
        **fields,
    }


def globe_sms_report(number: int) -> dict[str, Any]:
    """The same as GlobeSmsReport writes it: other names, dates without a zone, no TaskId."""
    found = receipt(number)
    return {
        "to": found["To"],
        "status": found["Status"],
        "message_id": found["MessageId"],
        "send_date": "2021-11-25 10:25:00",
        "receive_date": "2021-11-25 10:25:33",
        "error_code": found["ErrorCode"],
        "error_description": "success",
    }


def in_base64(value: Any) -> str:
    """As a message queue has it."""
    return base64.b64encode(json.dumps(value).encode()).decode()


def no_s3() -> S3Access:
    """Nothing here is on S3."""
    raise AssertionError("S3 was asked")


def read(
    uris: Iterable[str | Path],
    *,
    s3: Callable[[], S3Access] = no_s3,
    message_ids: Iterable[str] = (),
    known: Iterable[str] = (),
    marks: Marks | None = None,
) -> tuple[list[str], Reading]:
    """Read as a tracking does; return the message ids of the states in order, and the counts."""
    places, nothing = find_receipts([str(uri) for uri in uris], s3)
    ids = pl.DataFrame({"message_id": list(message_ids)}, schema={"message_id": pl.String})
    found: list[str] = []
    reading = Reading(nothing_at=nothing)
    reader = CampaignReader(
        "spring",
        ids,
        pl.DataFrame({"message_id": list(known)}, schema={"message_id": pl.String}),
        seen_at=NOW,
        keep=lambda states: found.extend(states["message_id"]),
        reading=reading,
    )
    unread = list(places.values()) if marks is None else marks.unread(list(places.values()), ids.height)
    reading.already_read = len(places) - len(unread)
    read_now = reader.read(unread, s3)
    if marks is not None:
        marks.add(read_now)
    return found, reading


def ids(*numbers: int) -> list[str]:
    """The message ids of these receipts."""
    return [str(10**15 + number) for number in numbers]


TWO = [receipt(1), receipt(2)]
QUEUE = {
    "MessageId": "5F290C926D472878-2-14D9529A8FA-200000001",
    "ReceiptHandle": "1-ODU4OTkzNDU5My0xNDM1MTk3NjAwLTItNg==",
}
FORMS = {
    "a line each": "".join(f"{json.dumps(each)}\n" for each in TWO),
    "no line feed at the end": "\n".join(json.dumps(each) for each in TWO),
    "Windows lines": "\r\n".join(json.dumps(each) for each in TWO),
    "an array, as it is pushed": json.dumps(TWO),
    "an array a line": "".join(f"{json.dumps([each])}\n" for each in TWO),
    "an array, indented": json.dumps(TWO, indent=2),
    "objects, indented": "\n".join(json.dumps(each, indent=2) for each in TWO),
    "an array with an object a line": "[\n" + ",\n".join(json.dumps(each) for each in TWO) + "\n]\n",
    "nothing between": "".join(json.dumps(each) for each in TWO),
    "blank lines between": "\n\n".join(json.dumps(each) for each in TWO),
    "with a byte order mark": "\ufeff" + json.dumps(TWO),
    "in base64, a message a line": "\n".join(in_base64(each) for each in TWO),
    "in base64, an array in one message": in_base64(TWO),
    "in base64, as JSON strings": json.dumps([in_base64(each) for each in TWO], indent=1),
    "as JSON strings": json.dumps([json.dumps(each) for each in TWO]),
    "a queue's answers": json.dumps([{**QUEUE, "MessageBody": in_base64(each)} for each in TWO]),
    "pushes of a queue's topic": "\n".join(json.dumps({**QUEUE, "Message": json.dumps(each)}) for each in TWO),
    "a queue's answer with both": json.dumps({**QUEUE, "MessageBody": in_base64([in_base64(each) for each in TWO])}),
    "fields that are numbers": json.dumps(
        [{**each, "To": int(each["To"]), "MessageId": int(each["MessageId"]), "Status": 1} for each in TWO]
    ),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_that_collectors_write_is_read(form: str, tmp_path: Path, *, packed: bool) -> None:
    """Both receipts are found and nothing counts as junk; the file's name doesn't matter."""
    body = FORMS[form].encode()
    (tmp_path / "receipts").write_bytes(gzip.compress(body) if packed else body)
    found, reading = read([tmp_path])
    assert found == ids(1, 2)
    assert (reading.receipts, reading.of_campaign, reading.junk_lines, reading.unreadable) == (2, 2, 0, 0)


def test_both_shapes_are_read_mixed_and_wrapped(tmp_path: Path) -> None:
    """GlobeSmsReport has no TaskId: it belongs to the campaign by the message id in its results."""
    (tmp_path / "a").write_text(
        json.dumps([receipt(1), globe_sms_report(2)]) + "\n" + in_base64(globe_sms_report(3)) + "\n"
    )
    kept: list[pl.DataFrame] = []
    reading = Reading()
    wanted = pl.DataFrame({"message_id": ids(2, 3)})
    CampaignReader("spring", wanted, wanted.clear(), seen_at=NOW, keep=kept.append, reading=reading).read(
        list(find_receipts([str(tmp_path)], no_s3)[0].values()), no_s3
    )
    states = pl.concat(kept)
    assert set(states["message_id"]) == set(ids(1, 2, 3))
    assert states["delivered_at"].unique().to_list() == [datetime(2021, 11, 25, 2, 25, 33, tzinfo=UTC)]
    assert (reading.receipts, reading.of_campaign, reading.junk_lines) == (3, 3, 0)


def test_replies_among_receipts_are_counted_and_nothing_else(tmp_path: Path) -> None:
    """The endpoint keeps both in one place."""
    reply = {"phone_number": "6581234567", "content": "STOP", "send_time": "2017-09-01 00:00:00", "dest_code": "1234"}
    (tmp_path / "a").write_text(json.dumps([reply, receipt(1)]))
    found, reading = read([tmp_path])
    assert found == ids(1)
    assert (reading.replies, reading.domestic, reading.junk_lines) == (1, 0, 0)


@given(
    numbers=st.lists(st.integers(0, 50), max_size=30),
    junk=st.lists(st.sampled_from(["hello", "{", '{"To": "65', "null", '"text"', "\x01", "12,13", '{"a": [}'])),
    sizes=st.lists(st.integers(1, 40), min_size=1),
    dice=st.randoms(use_true_random=False),
)
def test_junk_lines_are_counted_and_cost_no_receipt(
    numbers: list[int], junk: list[str], sizes: list[int], dice: random.Random
) -> None:
    """Wherever they are, and however the bytes arrive: every whole receipt is read, every junk line is named."""
    lines = [(json.dumps(receipt(number)), False) for number in numbers] + [(each, True) for each in junk]
    dice.shuffle(lines)
    body = "".join(f"{line}\n" for line, _ in lines).encode()
    pieces, at = list[bytes](), 0
    while at < len(body):
        size = dice.choice(sizes)
        pieces.append(body[at : at + size])
        at += size
    found = list(Scan(pieces))
    objects = [each["MessageId"] for each in found if not isinstance(each, Junk)]
    assert objects == [json.loads(line)["MessageId"] for line, is_junk in lines if not is_junk]
    assert [each.line for each in found if isinstance(each, Junk)] == [
        place for place, (_, is_junk) in enumerate(lines, start=1) if is_junk
    ]


def test_a_line_that_was_torn_and_written_on_loses_only_itself(tmp_path: Path) -> None:
    """A collector died in mid-line and appended later: the whole receipt after the cut-off one is read."""
    (tmp_path / "a").write_text(json.dumps(receipt(1))[:40] + json.dumps(receipt(2)) + "\n" + json.dumps(receipt(3)))
    found, reading = read([tmp_path])
    assert found == ids(2, 3)
    assert reading.junk_lines == 1


def test_whatever_cannot_be_read_is_named_with_its_place_and_quotes_no_number(tmp_path: Path) -> None:
    """Lines, objects and damaged files; the receipts beside them are still read."""
    (tmp_path / "a.ndjson").write_text(
        f'{json.dumps(receipt(1))}\nto 6581234567\n{{"Phone": "6581234567"}}\n{json.dumps(receipt(2, Status="9"))}\n'
    )
    (tmp_path / "b.gz").write_bytes(gzip.compress(json.dumps(receipt(3)).encode() * 50)[:-20])
    (tmp_path / "c.bin").write_bytes(b"PAR1\0\0\0")
    (tmp_path / "d.json").write_text(json.dumps([receipt(4)]))
    (tmp_path / "empty").write_text("")
    found, reading = read([tmp_path])
    assert set(found) >= set(ids(1, 4))
    assert (reading.junk_lines, reading.unreadable) == (3, 2)
    said = "\n".join(reading.sentences())
    for expected in (
        "a.ndjson, line 2: this is not a JSON object",
        "a.ndjson, line 3: this is not a delivery receipt",
        "a.ndjson, line 4: a delivery receipt can't be read: Status",
        "b.gz: its gzip compression is damaged",
        "c.bin: this is not JSON",
    ):
        assert expected in said
    assert "6581234567" not in said
    assert "empty" not in said


def test_receipts_of_domestic_messages_are_recognised_and_said(tmp_path: Path) -> None:
    """They have other fields: the message says to push GlobeSmsReport instead of SmsReport."""
    domestic = {"phone_number": "1381111****", "success": True, "biz_id": "12345", "out_id": "67890", "sms_size": "1"}
    (tmp_path / "a").write_text(json.dumps([domestic, domestic, receipt(1)]))
    found, reading = read([tmp_path])
    assert found == ids(1)
    assert (reading.domestic, reading.junk_lines) == (2, 0)
    assert any("GlobeSmsReport" in sentence for sentence in reading.sentences())


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, True),
        ({"TaskId": "springtime-1-1"}, False),
        ({"TaskId": "my-spring-1-1"}, False),
        ({"TaskId": "spring-1-1-1"}, False),
        ({"TaskId": "spring-1"}, False),
        ({"TaskId": "67890"}, False),
        ({"TaskId": None}, False),
        ({"TaskId": "", "MessageId": "777"}, True),
        ({"TaskId": "other-1-1", "MessageId": 777}, True),
    ],
)
def test_only_the_campaigns_own_receipts_count(fields: dict[str, Any], tmp_path: Path, *, counts: bool) -> None:
    """By a TaskId of the campaign, or by a message id in its results."""
    (tmp_path / "a").write_text(json.dumps(receipt(1, **fields)))
    found, reading = read([tmp_path], message_ids=["777"])
    assert bool(found) == counts
    assert (reading.receipts, reading.of_campaign, reading.junk_lines) == (1, int(counts), 0)


def test_doubles_and_what_is_known_already_are_not_kept_again(tmp_path: Path) -> None:
    """The same receipt may come several times."""
    (tmp_path / "a").write_text(json.dumps([receipt(1), receipt(2), receipt(1), receipt(1)]))
    found, reading = read([tmp_path], known=ids(2))
    assert found == ids(1)
    assert reading.of_campaign == 4


def test_objects_are_read_once_unless_they_change(local_store: LocalStore, tmp_path: Path) -> None:
    """A second run reads what is new; a file that has grown is read again."""
    folder = tmp_path / "receipts"
    folder.mkdir()
    (folder / "a").write_text(json.dumps([receipt(1)]))
    (folder / "b").write_text(json.dumps([receipt(2)]))
    assert read([folder], marks=Marks(local_store))[0] == ids(1, 2)
    found, reading = read([folder], marks=Marks(local_store))
    assert (found, reading.objects, reading.already_read) == ([], 0, 2)
    (folder / "b").write_text(json.dumps([receipt(2), receipt(3)]))
    (folder / "c").write_text(json.dumps([receipt(4)]))
    assert read([folder], marks=Marks(local_store))[0] == ids(2, 3, 4)


def test_an_object_that_could_not_be_read_is_tried_again(local_store: LocalStore, tmp_path: Path) -> None:
    """A mark means that it was read to its end."""
    folder = tmp_path / "receipts"
    folder.mkdir()
    (folder / "a.gz").write_bytes(gzip.compress(json.dumps(receipt(1)).encode())[:-4])
    for _ in range(2):
        reading = read([folder], marks=Marks(local_store))[1]
        assert (reading.objects, reading.unreadable) == (1, 1)


def test_receipts_without_a_task_id_are_looked_at_again_when_there_are_other_message_ids(
    local_store: LocalStore, tmp_path: Path
) -> None:
    """Receipts from a message queue may lack it: once the results have the message id, they belong to the campaign."""
    folder = tmp_path / "receipts"
    folder.mkdir()
    (folder / "a").write_text(json.dumps([receipt(1, TaskId="")]))
    assert read([folder], marks=Marks(local_store))[0] == []
    assert read([folder], marks=Marks(local_store))[1].already_read == 1
    assert read([folder], message_ids=ids(1), marks=Marks(local_store))[0] == ids(1)
    assert read([folder], message_ids=ids(1), marks=Marks(local_store))[1].already_read == 1


def test_marks_are_merged_and_none_is_forgotten(store: Store, tmp_path: Path) -> None:
    """After fifty readings there are a few objects of marks, not fifty."""
    folder = tmp_path / "receipts"
    folder.mkdir()
    for number in range(50):
        (folder / str(number)).write_text(json.dumps(receipt(number)))
        assert read([folder], marks=Marks(store))[0] == ids(number)
    assert len(list(store.list("delivery/"))) <= 21
    assert not any(key.endswith(".parquet") for key in store.list("delivery/"))


def test_files_that_the_endpoint_sets_aside_are_skipped(tmp_path: Path) -> None:
    """Names that start with an underscore or a dot are skipped, unless the URI names them."""
    for name in ("_refused/x", "_started/y.json", ".globe-sms/tmp/y", "2026/a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(receipt(1)))
    assert read([tmp_path])[1].objects == 1
    assert read([tmp_path / "_refused"])[1].objects == 1


def test_a_location_without_receipts_yet_is_reported_without_an_error(tmp_path: Path) -> None:
    """The tracker may start before the first receipt comes."""
    reading = read([tmp_path / "not-yet"])[1]
    assert reading.objects == 0
    assert any("no receipts there yet" in sentence for sentence in reading.sentences())


def test_receipts_on_s3_are_found_by_prefix_glob_and_name_and_read_once(
    s3_access: S3Access, store: Store, key: Callable[[], str]
) -> None:
    """Small and large objects, compressed or not; marked by their ETags."""
    prefix = f"receipts-{key()}"
    small = {f"{prefix}/2026/{number}.json": json.dumps(receipt(number)).encode() for number in range(40)}
    large = "".join(f"{json.dumps(receipt(number))}\n" for number in range(40, 6_040)).encode()
    for name, body in {**small, f"{prefix}/large.ndjson": large, f"{prefix}/large.gz": gzip.compress(large)}.items():
        s3_access.client().put_object(Bucket="tests", Key=name, Body=body)
    s3_access.client().put_object(Bucket="tests", Key=f"{prefix}/empty", Body=b"")
    found, reading = read([f"s3://tests/{prefix}/"], s3=lambda: s3_access, marks=Marks(store))
    assert set(found) == set(ids(*range(6_040)))
    assert (reading.objects, reading.receipts, reading.unreadable) == (42, 12_040, 0)
    assert read([f"s3://tests/{prefix}"], s3=lambda: s3_access, marks=Marks(store))[1].already_read == 42
    assert read([f"s3://tests/{prefix}/2026/1*.json"], s3=lambda: s3_access)[1].objects == 11
    assert read([f"s3://tests/{prefix}/2026/7.json"], s3=lambda: s3_access)[0] == ids(7)
    with pytest.raises(InputError, match="bucket doesn't exist"):
        read([f"s3://no-bucket-{key()}/x"], s3=lambda: s3_access)
