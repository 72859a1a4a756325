"""Erased campaigns and numbers: nothing of them is found, and what depends on them still holds."""

import base64
import contextlib
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import CampaignDocument, Publication
from globe_sms.tasks.campaign.number_hashes import NumberHashes, make_hashes
from globe_sms.tasks.campaign.results_schema import RESULTS_SCHEMA
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.campaign.stored_document import read_document
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.delivery_states import STATE_SCHEMA
from globe_sms.tasks.delivery.rewrite_results import rewrite_results
from globe_sms.tasks.inquiry.explain_number import explain
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.planning.exclusions import Exclusions
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.policy.count_usage import count_usage
from globe_sms.tasks.policy.frequency import texted_too_often
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.rules import Frequency, Undeliverable
from globe_sms.tasks.policy.undeliverable import find_undeliverable
from globe_sms.tasks.publishing.publish import Publisher, partition_uris
from globe_sms.tasks.repeats.find_repeats import RepeatFinder
from globe_sms.tasks.retention.erased_rows import Erasure, erase_rows
from globe_sms.tasks.retention.forget import Certificate, forget
from globe_sms.tasks.retention.forgotten import ForgottenNumbers
from globe_sms.tasks.retention.purge import Purge, purge
from globe_sms.tasks.store import LocalStore, S3Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, StoreUnavailableError
from globe_sms.tasks.vocabulary.stop_signal import StopSignal
from tests.unit.inquiry.kept_campaigns import BEGAN, KeptCampaign

NUMBERS = [f"+658123456{last}" for last in range(4)]
DIGITS = [number[1:] for number in NUMBERS]
TEXT = "Hello"
NOW = datetime.fromtimestamp(BEGAN, UTC) + timedelta(hours=2)
OLD = timedelta(0)


def no_s3() -> S3Access:
    raise AssertionError


class Kept:
    """A results folder with the finished campaign `one`: two calls, delivered but for the last number."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.path = folder / "out"
        self.store = LocalStore(self.path)
        self.one = KeptCampaign(self.store, "one", [*NUMBERS, "6581234560 or 61"], self.scratch, **settings)
        self.one.accept(0)
        self.one.accept(1)
        self.finish(self.one)
        states = [
            {
                **dict.fromkeys(STATE_SCHEMA),
                "message_id": f"m-{place // 2}-{place % 2}",
                "phone_number": number,
                "task_id": f"one-{place // 2}-1",
                "delivery": "undelivered" if place == 3 else "delivered",
                "delivery_code": "UNDELIV" if place == 3 else "DELIVERED",
                "origin": "receipt",
                "seen_at": NOW,
            }
            for place, number in enumerate(NUMBERS)
        ]
        DeliveryArchive(self.one.store, self.scratch).append(pl.DataFrame(states, schema=STATE_SCHEMA))
        rewrite_results(self.store, "one", self.scratch)

    def finish(self, kept: KeptCampaign) -> None:
        """End a campaign as its run does."""
        kept.write_results(ended_at=NOW - timedelta(hours=1))
        kept.campaign.update(usage=count_usage(pl.scan_parquet(kept.scratch / "results.parquet"), kept.store, None))
        kept.end()

    def purge(self, older_than: timedelta = OLD, *, apply: bool = True, **options: Any) -> Purge:
        return purge(self.store, older_than, self.scratch, apply=apply, now=NOW, **options)

    def forget(self, number: str, *, apply: bool = True, **options: Any) -> Certificate:
        return forget(self.store, number, self.scratch, apply=apply, now=NOW, **options)

    def objects(self) -> dict[str, bytes]:
        """Every object of the folder, with its content."""
        return {str(path.relative_to(self.path)): path.read_bytes() for path in self.path.rglob("*") if path.is_file()}

    def found(self, *words: str) -> set[tuple[str, str]]:
        """Which objects have which of these words."""
        return {(key, word) for key, said in self._said() for word in words if word in said}

    def _said(self) -> Iterator[tuple[str, str]]:
        for key, body in self.objects().items():
            yield key, repr(pl.read_parquet(body).rows()) if key.endswith(".parquet") else body.decode()

    def repeats(self, text: str | None, *names: str) -> dict[int, str]:
        """Who of the numbers has this text (or a text with their name) within 20 hours after the campaign."""
        wording = Wording.of(text or "Hi {name}", None, downgrade=True, max_characters=1_500)
        rows = {"e164": [int(number) for number in DIGITS], **({"message": list(names)} if names else {})}
        finder = RepeatFinder(self.store, "two", TextPattern.of(wording), 72_000.0)
        files = finder.find(pl.LazyFrame(rows), self.scratch)
        return {int(row["e164"]) % 10: str(row["source"]) for file in files for row in pl.read_parquet(file).to_dicts()}

    def results(self) -> pl.DataFrame:
        return pl.read_parquet(self.path / "one" / "results.parquet")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_purge_leaves_no_number_and_no_text_in_any_object(kept: Kept) -> None:
    """Counts, ids, statuses, times and deliveries stay, row by row; a second purge finds nothing left to do."""
    before = kept.results()
    assert {word for _, word in kept.found(*DIGITS, TEXT)} == {*DIGITS, TEXT}
    done = kept.purge()
    assert kept.found(*DIGITS, TEXT) == set()
    after = kept.results()
    assert after.drop("phone_number", "recipient").equals(before.drop("phone_number", "recipient"))
    assert after["phone_number"].n_unique() == before["phone_number"].n_unique()
    assert [each.campaign for each in done.campaigns] == ["one"]
    assert done.lists == ()
    again = kept.purge()
    assert (again.campaigns, again.already) == ((), 1)


def test_without_apply_nothing_changes_and_it_s_said_what_would(kept: Kept) -> None:
    before = kept.objects()
    said = "\n".join(kept.purge(apply=False).sentences())
    assert "one, ended 2096-10-02: would erase" in said
    assert "--apply" in said
    assert kept.forget(NUMBERS[0], apply=False).objects
    assert kept.objects() == before


def test_only_campaigns_that_ended_before_then_are_erased(kept: Kept) -> None:
    assert kept.purge(timedelta(hours=2)).campaigns == ()
    assert len(kept.purge(timedelta(minutes=59)).campaigns) == 1


def test_a_campaign_that_is_being_sent_or_has_rows_left_is_kept(kept: Kept) -> None:
    """Each with the reason; --unfinished erases the second, and its rows are never sent then."""
    running = KeptCampaign(kept.store, "running", NUMBERS, kept.scratch)
    running.accept(0)
    running.accept(1)
    running.write_results(ended_at=NOW - timedelta(hours=1))
    running.campaign.update(usage=count_usage(pl.scan_parquet(running.scratch / "results.parquet"), kept.store, None))
    left = KeptCampaign(kept.store, "left", NUMBERS, kept.scratch)
    left.accept(0)
    kept.finish(left)
    reasons = {each.campaign: each.kept for each in kept.purge().campaigns}
    assert reasons["one"] is None
    assert reasons["running"] == "it is being sent"
    assert "2 rows haven't been sent" in (reasons["left"] or "")
    assert {key.partition("/")[0] for key, _ in kept.found(*DIGITS)} == {"running", "left"}
    running.end()
    kept.purge(unfinished=True)
    assert kept.found(*DIGITS) == set()
    plan = FrozenPlan(kept.path / "left" / "plans" / f"{left.plan.id}.parquet")
    excluded = Exclusions((), kept.scratch).look(plan)
    assert excluded.of_chunks([0, 1])[1] == {0: "forgotten", 1: "forgotten"}


class StoreThatDies(LocalStore):
    """Takes so many writes and deletions, and then dies."""

    writes = 10**9

    def _die(self) -> None:
        StoreThatDies.writes -= 1
        if StoreThatDies.writes < 0:
            raise StoreUnavailableError("killed")

    def put_file(self, key: str, path: Path) -> None:
        self._die()
        super().put_file(key, path)

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        self._die()
        return super().compare_and_swap(key, body, version)

    def delete(self, key: str) -> None:
        self._die()
        super().delete(key)

    def within(self, prefix: str) -> "StoreThatDies":
        return StoreThatDies(Path(self.uri) / prefix)


def test_killed_at_any_write_nobody_gets_a_text_twice_and_a_second_purge_ends_it(tmp_path: Path) -> None:
    """In between everybody who has the text is still known, or nobody is texted at all."""
    everyone = dict.fromkeys(range(4), "repeat:one")
    for writes in range(20):
        folder = tmp_path / str(writes)
        folder.mkdir()
        kept = Kept(folder)
        StoreThatDies.writes = writes
        try:
            purge(StoreThatDies(kept.path), OLD, kept.scratch, apply=True, now=NOW)
        except StoreUnavailableError:
            pass
        else:
            assert writes > 4
            break
        with contextlib.suppress(InputError):  # fails closed: nobody is texted
            assert kept.repeats(TEXT) == everyone
        StoreThatDies.writes = 10**9
        stored = kept.one.store.get("campaign.json")
        assert stored is not None
        freed = CampaignDocument.decode(stored.body, "one").changed(lease=None)  # it runs out by itself
        kept.one.store.compare_and_swap("campaign.json", freed.encode(), stored.version)
        kept.purge()
        assert kept.found(*DIGITS, TEXT) == set()
        assert kept.repeats(TEXT) == everyone
    else:
        raise AssertionError("the purge never ended")


def test_nobody_gets_the_text_of_an_erased_campaign_again(kept: Kept) -> None:
    """Another text may go out, and so may the same one where the gateway had refused the number."""
    before = kept.repeats(TEXT)
    kept.purge()
    assert kept.repeats(TEXT) == before == dict.fromkeys(range(4), "repeat:one")
    assert kept.repeats("Another text") == {}
    assert kept.repeats(None, *["Hello"] * 2, "Hello!", "hello") == {0: "repeat:one", 1: "repeat:one"}


def test_personal_texts_are_compared_by_their_hashes(tmp_path: Path) -> None:
    """Word by word, as they would leave."""
    kept = Kept(tmp_path, message="Hi {name}")
    plan = next((kept.path / "one" / "plans").iterdir())
    rows = pl.read_parquet(plan)
    texts = pl.Series("message", ["Hi Ann", "Hi Bo", "Hi Cy", "Hi Di", None])
    rows.with_columns(texts, segments=pl.lit(1, pl.UInt16)).write_parquet(
        plan, metadata={name: value for name, value in pl.read_parquet_metadata(plan).items() if name != "ARROW:schema"}
    )
    texts_now = ("Hi Ann", "Hi Bob", "Hi Cy", "Hi Di")
    before = kept.repeats(None, *texts_now)
    kept.purge()
    assert kept.found("Hi Ann", "Hi {", *DIGITS) == set()
    assert kept.repeats(None, *texts_now) == before == dict.fromkeys((0, 2, 3), "repeat:one")
    assert kept.repeats("Hi Bo") == {1: "repeat:one"}


@pytest.mark.parametrize(
    "texts", [{"variant": ["A=At nine", "B=At ten"]}, {"message_by_language": ["de=At nine"], "message": "At ten"}]
)
def test_no_text_of_several_is_left(texts: dict[str, Any], tmp_path: Path) -> None:
    kept = Kept(tmp_path, **{"message": None, **texts})
    assert kept.found("At nine", "At ten")
    kept.purge()
    assert kept.found("At nine", "At ten") == set()


def test_what_other_campaigns_ask_for_still_holds(kept: Kept) -> None:
    """How often people were texted, and who is undeliverable; each with the numbers that are asked about."""
    kept.purge()
    results = PlaceResults(kept.store, no_s3, kept.scratch, {})
    numbers = pl.LazyFrame({"e164": [int(DIGITS[0]), int(DIGITS[3]), 6581239999]})
    often = texted_too_often(
        numbers, [Frequency(texts=1, days=1)], results, kept.scratch / "f.parquet", but="two", now=NOW
    )
    assert often is not None
    assert set(pl.read_parquet(often)["e164"]) == {int(DIGITS[0]), int(DIGITS[3])}
    dead = find_undeliverable(
        numbers, [Undeliverable(days=9.0)], results, kept.scratch / "u.parquet", but="two", now=NOW
    )
    assert dead is not None
    assert pl.read_parquet(dead).rows() == [(int(DIGITS[3]), "undeliverable:UNDELIV")]


def test_without_the_key_nobody_is_texted(kept: Kept) -> None:
    kept.purge()
    (kept.path / ".globe-sms" / "hash-key").unlink()
    with pytest.raises(InputError, match="is gone: it isn't known who was texted"):
        kept.repeats(TEXT)


def test_explain_still_tells_what_happened(kept: Kept) -> None:
    """The same events, for every number, and with other spellings of it."""

    def told(number: str) -> list[dict[str, Any]]:
        return [event.as_json() for event in explain(kept.store, number, no_s3, clock=lambda: NOW).events]

    before = {number: told(number) for number in NUMBERS}
    kept.purge()
    assert all(before.values())
    assert {number: told(number) for number in NUMBERS} == before
    assert told("65 8123 4560") == before[NUMBERS[0]]


def test_a_run_of_an_erased_campaign_is_not_refused_for_its_text(kept: Kept) -> None:
    """Its settings are the same as before, as far as anybody knows; others are refused as always."""
    document = read_document(kept.store, "one")
    assert document is not None
    settings = dict(document.settings)
    kept.purge()
    kept.one.campaign.open(settings, patience=0.0)
    kept.one.end()
    with pytest.raises(InputError, match="other settings"):
        kept.one.campaign.open({**settings, "type": "MKT"}, patience=0.0)


@pytest.mark.parametrize("everything", [True, False])
def test_lists_that_are_kept_with_the_campaign_go_with_its_numbers(kept: Kept, everything: bool) -> None:  # noqa: FBT001 - a parameter
    """The rows of a query, and of a frame: neither is read once the campaign is being sent."""
    folder = kept.path / "one" / "lists"
    folder.mkdir()
    for name in ("query-a", "b"):
        pl.DataFrame({"phone": NUMBERS}).write_parquet(folder / f"{name}.parquet")
    done = kept.purge() if everything else kept.forget(NUMBERS[0])
    assert list(folder.iterdir()) == []
    assert kept.found(DIGITS[0]) == set()
    objects = done.campaigns[0].objects if isinstance(done, Purge) else done.objects
    assert {each.uri.rpartition("/")[2] for each in objects if each.rows is None} >= {"query-a.parquet", "b.parquet"}


def test_a_frame_stays_until_its_campaign_is_sent(kept: Kept) -> None:
    """Nothing else has its rows; a query is asked again."""
    planned = KeptCampaign(kept.store, "planned", NUMBERS, kept.scratch)
    planned.end()
    for name in ("query-a", "frame"):
        planned.store.put_if_absent(f"lists/{name}.parquet", b"")
    kept.forget(NUMBERS[0])
    assert list(planned.store.list("lists/")) == ["lists/frame.parquet"]


def test_a_campaign_that_never_sent_loses_its_plan(kept: Kept) -> None:
    """The next run makes a plan of what its lists are then."""
    planned = KeptCampaign(kept.store, "planned", NUMBERS, kept.scratch)
    planned.end()
    for key in ("failures.csv", "lists/frame.parquet", "earlier/results-1.parquet"):
        planned.store.put_if_absent(key, NUMBERS[0].encode())
    kept.purge(timedelta(days=-30_000))
    document = read_document(kept.store, "planned")
    assert [each.name for each in (kept.path / "planned").rglob("*") if each.is_file()] == ["campaign.json"]
    assert document is not None
    assert (document.plan, document.erased_at) == (None, None)
    assert kept.found(*DIGITS) == set()


def test_forget_erases_one_number_everywhere_and_leaves_the_others(kept: Kept) -> None:
    """Also where a cell only quotes it; the certificate says what was rewritten, and has no whole number."""
    before = kept.results()
    done = kept.forget("65 8123 4560")
    assert kept.found(DIGITS[0]) == set()
    assert {word for _, word in kept.found(*DIGITS)} == set(DIGITS[1:])
    after = kept.results()
    others = pl.col("row").is_between(1, 3)
    assert after.filter(others).equals(before.filter(others))
    assert after["status"].to_list() == before["status"].to_list()
    assert {each.uri.rpartition("/")[2] for each in done.objects} >= {"results.parquet"}
    assert done.uri is not None
    certificate = json.loads(Path(done.uri).read_text())
    assert certificate["objects"]
    assert DIGITS[0] not in json.dumps(certificate) + "\n".join(done.sentences())
    assert kept.repeats(TEXT) == dict.fromkeys((1, 2, 3), "repeat:one")
    assert [event.kind for event in explain(kept.store, NUMBERS[0], no_s3, clock=lambda: NOW).events]
    again = kept.forget(NUMBERS[0])
    assert again.objects == ()
    assert json.loads(Path(done.uri).read_text())["objects"] == certificate["objects"]


def test_a_forgotten_number_is_left_out_of_every_later_campaign(kept: Kept) -> None:
    """Whether it was in one before or not; the file is the same until another number is forgotten."""
    forgotten = ForgottenNumbers(kept.store, kept.scratch)
    rows = pl.LazyFrame({"e164": [int(number) for number in DIGITS]})
    assert forgotten.files(rows) == ()
    kept.forget(NUMBERS[2])
    first = forgotten.files(rows)
    assert pl.concat(pl.read_parquet(file) for file in first).rows() == [(int(DIGITS[2]), "forgotten")]
    assert forgotten.files(rows) == first
    kept.forget("+6581239999")
    assert forgotten.files(rows) != first


def test_a_campaign_with_the_number_that_is_being_sent_is_named(kept: Kept) -> None:
    """It doesn't text the number any more, but still has it until forget is run again."""
    running = KeptCampaign(kept.store, "running", NUMBERS, kept.scratch)
    running.claim(0)
    done = kept.forget(NUMBERS[1])
    assert done.busy == ("running",)
    assert {key.partition("/")[0] for key, _ in kept.found(DIGITS[1])} == {"running"}
    running.answer(0, Settlement.UNKNOWN)
    running.end()
    assert kept.forget(NUMBERS[1]).busy == ()
    assert kept.found(DIGITS[1]) == set()
    plan = FrozenPlan(kept.path / "running" / "plans" / f"{running.plan.id}.parquet")
    assert Exclusions((), kept.scratch).look(plan).of_chunks([0]) == {0: {1: "forgotten"}}


def test_receipts_lose_their_numbers_and_still_count(kept: Kept, tmp_path: Path) -> None:
    """In both shapes; a reply stays until its number is forgotten, for it may be an opt-out."""
    receipts = LocalStore(tmp_path / "receipts")
    pushed = [
        {"To": DIGITS[0], "MessageId": "m-0-0", "Status": "1", "TaskId": "one-0-1", "ErrorDescription": DIGITS[0]},
        {"to": DIGITS[1], "message_id": "m-0-1", "status": "1"},
        {"phone_number": DIGITS[2], "content": f"STOP {DIGITS[2]}"},
        {"phone_number": "+65 8123-4562", "content": "STOP"},
    ]
    receipts.put_if_absent("2026/a.json", json.dumps(pushed).encode())
    receipts.put_if_absent("_refused/x", f"junk {DIGITS[3]}".encode())
    receipts.put_if_absent("_started/1.json", b"{}")
    now = datetime.now(UTC) + timedelta(minutes=1)
    assert [
        each.rows for each in purge(kept.store, OLD, kept.scratch, apply=True, receipts=[receipts], now=now).receipts
    ] == [2, None]
    stored = receipts.get("2026/a.json")
    assert stored is not None
    said = [json.loads(line) for line in stored.body.splitlines()]
    assert [number for number in DIGITS if number in stored.body.decode()] == [DIGITS[2]]
    assert [each.get("MessageId") for each in said] == ["m-0-0", "m-0-1", None, None]
    assert list(receipts.list("_refused/")) == []
    for name, number in (("a", DIGITS[2]), ("b", DIGITS[3])):
        receipts.put_if_absent(f"_refused/{name}", f"junk {number}".encode())
        in_base64 = base64.b64encode(f"junk from {number}".encode()).decode()
        receipts.put_if_absent(f"_refused/{name}-of-a-queue", json.dumps({"body": in_base64}).encode())
    kept.forget(NUMBERS[2], receipts=[receipts])
    assert list(receipts.list("_refused/")) == ["_refused/b", "_refused/b-of-a-queue"]
    assert list(receipts.list("_started/")) == ["_started/1.json"]
    stored = receipts.get("2026/a.json")
    assert stored is not None
    assert DIGITS[2] not in stored.body.decode()
    assert "8123-4562" not in stored.body.decode()


def test_replies_that_are_put_together_meanwhile_are_erased_too(kept: Kept, tmp_path: Path) -> None:
    """Under a name that the first listing didn't have."""
    reply = json.dumps({"phone_number": DIGITS[0], "content": "STOP"}).encode()

    class PutTogether(LocalStore):
        def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
            self.put_if_absent("replies/together/1.ndjson", reply)
            return super().compare_and_swap(key, body, version)

    receipts = PutTogether(tmp_path / "receipts")
    receipts.put_if_absent("replies/2026/1.ndjson", reply)
    kept.forget(NUMBERS[0], receipts=[receipts])
    stored = [receipts.get(key) for key in receipts.list("replies/")]
    assert [each is not None and DIGITS[0].encode() in each.body for each in stored] == [False, False]


def test_a_campaign_on_s3_is_purged_and_forgotten_like_one_on_disk(s3_access: S3Access, tmp_path: Path) -> None:
    """No object of the bucket has a number or the text any more; counts stay, and so does who has the text."""
    store = S3Store(s3_access.client(), "tests", f"purge/{uuid.uuid4().hex}", clock=s3_access.clock)
    one = KeptCampaign(store, "one", [*NUMBERS], tmp_path)
    one.accept(0)
    one.write_results(ended_at=NOW - timedelta(hours=1))
    one.campaign.update(usage=count_usage(pl.scan_parquet(one.scratch / "results.parquet"), store, None))
    one.end()

    def found() -> set[str]:
        copy, said = tmp_path / "copy", ""
        for key in store.list(""):
            assert store.fetch(key, copy)
            said += repr(pl.read_parquet(copy).rows()) if key.endswith(".parquet") else copy.read_text()
        return {word for word in (*DIGITS, TEXT) if word in said}

    assert found() == {*DIGITS, TEXT}
    assert forget(store, NUMBERS[3], tmp_path, apply=True, now=NOW).uri is not None
    assert found() == {*DIGITS[:3], TEXT}
    done = purge(store, OLD, tmp_path, apply=True, unfinished=True, now=NOW)
    assert [(each.campaign, each.kept) for each in done.campaigns] == [("one", None)]
    assert found() == set()
    assert purge(store, OLD, tmp_path, apply=True, now=NOW).already == 1
    wording = Wording.of(TEXT, None, downgrade=True, max_characters=1_500)
    finder = RepeatFinder(store, "two", TextPattern.of(wording), 72_000.0)
    files = finder.find(pl.LazyFrame({"e164": [int(number) for number in DIGITS]}), tmp_path)
    assert sorted(number for file in files for number in pl.read_parquet(file)["e164"]) == [
        int(each) for each in DIGITS[:2]
    ]


def test_a_shared_table_loses_what_the_results_lose(kept: Kept, tmp_path: Path) -> None:
    """An erasure that couldn't write it says so, and does it the next time; copies of rows and lists go, too."""
    table = Publication(uri=str(tmp_path / "lake" / "sms"), numbers="full", date="2096-10-02")
    folder = kept.store.within("one")
    for key in ("failures.csv", "lists/frame.parquet"):
        folder.put_if_absent(key, NUMBERS[0].encode())
    publisher = Publisher(kept.store, no_s3, kept.scratch)
    with Campaign(kept.store, "one", stop=StopSignal()) as held:
        held.open(kept.one.campaign.document.settings)
        held.update(published=[table])
        publisher.publish(held, kept.path / "one" / "results.parquet")
    (partition,) = partition_uris(held.document)
    assert set(NUMBERS) <= set(pl.read_parquet(partition)["phone_number"])
    (tmp_path / "lake").rename(tmp_path / "elsewhere")
    (tmp_path / "lake").write_text("no folder")
    with pytest.raises(StoreError, match=r"the table at .*sms wasn't updated"):
        kept.forget(NUMBERS[0])
    (tmp_path / "lake").unlink()
    (tmp_path / "elsewhere").rename(tmp_path / "lake")
    assert partition in {each.uri for each in kept.forget(NUMBERS[0], apply=False).objects}
    kept.forget(NUMBERS[0])
    assert [*folder.list("failures.csv")] == []
    assert NUMBERS[0] not in set(pl.read_parquet(partition)["phone_number"])
    assert NUMBERS[1] in set(pl.read_parquet(partition)["phone_number"])
    assert partition in {each.uri for each in kept.purge().campaigns[0].objects}
    assert pl.read_parquet(partition)["phone_number"].str.starts_with("~").all()
    assert [*folder.list("lists/")] == []


@pytest.mark.parametrize("number", [None, NUMBERS[0]], ids=["all", "one"])
def test_columns_of_the_lists_lose_what_they_say_of_a_person(number: str | None, tmp_path: Path) -> None:
    """Whatever their names and types are; other people's rows lose only what has the number."""
    quoted = f"for {NUMBERS[0]}"
    kept: dict[str, Any] = {
        "name": ["Ann", "Bo", quoted],
        "position": ["CEO", "CFO", quoted],  # as plans have a column of ours,
        "origin": ["a fair", None, quoted],  # deliveries,
        "message": ["Hi Ann", "Hi Bo", quoted],  # and plans once more
        "paid": [1, 2, int(DIGITS[0])],
        "since": [NOW] * 3,
        "tier": pl.Series(["gold", "red", quoted], dtype=pl.Enum(["gold", "red", quoted])),
        "raw": [b"a", b"\xff", quoted.encode()],
        "tags": [["a"], ["b"], [quoted]],
    }
    known = pl.DataFrame({"phone_number": NUMBERS[:3], "recipient": NUMBERS[:3]})
    blank = [pl.lit(None, dtype).alias(name) for name, dtype in RESULTS_SCHEMA.items() if name not in known.columns]
    rows = known.with_columns(blank).with_columns(**{name: pl.Series(values) for name, values in kept.items()})
    place, store = tmp_path / "out", LocalStore(tmp_path / "out")
    place.mkdir()
    rows.write_parquet(place / "results.parquet")
    erasure = Erasure(make_hashes(store), number)
    assert erase_rows(store, "results.parquet", erasure, tmp_path, apply=True) == (3 if number is None else 2)
    assert erase_rows(store, "results.parquet", erasure, tmp_path, apply=True) == 0
    found = pl.read_parquet(place / "results.parquet").select(*kept)
    bo = None if number is None else pl.DataFrame(kept).row(1)
    since = (None, *[NOW] * 2)  # a time has no number
    assert found.row(0) == (None,) * len(kept)
    assert found.row(1) == (bo or (None,) * len(kept))
    assert found["since"].to_list() == ([None] * 3 if number is None else [*since])
    assert found.drop("since").row(2) == (None,) * (len(kept) - 1)


def test_hashes_have_no_digit_and_differ_by_key() -> None:
    """So no search for a number finds one by chance, and nobody can try numbers out without the key."""
    one, two = NumberHashes(b"a" * 32), NumberHashes(b"b" * 32)
    numbers = pl.Series([f"+65{place:08}" for place in range(2_000)])
    hashed = one.numbers(numbers)
    assert hashed.n_unique() == 2_000
    assert not hashed.str.contains(r"\d").any()
    assert not (hashed == two.numbers(numbers)).any()
    assert (one.numbers(hashed) == hashed).all()
    as_integers = one.of_integers(numbers.str.strip_chars_start("+").cast(pl.Int64))
    assert as_integers.min() > 10**15  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]
    assert as_integers.n_unique() == 2_000
