"""What a run asks before each stretch: who has the text by now, and whether another campaign is sending it."""

import uuid
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.sending_now import SENDING_KEY, SendingNow
from globe_sms.tasks.campaign.settlement import Settlement
from globe_sms.tasks.campaign.stored_document import read_document
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.repeats.repeats import Repeats
from globe_sms.tasks.store import S3Store, Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StopSignal
from tests.unit.repeats.earlier_campaign_folders import NOW, CampaignFolders
from tests.waiting import await_event

A, B, C = (f"65812345{number:02}" for number in (1, 2, 3))


class Sender:
    """A campaign of the folder that a run holds and is about to send."""

    def __init__(
        self,
        folders: CampaignFolders,
        campaign: str,
        numbers: Sequence[str],
        *,
        message: str = "Hello",
        seconds: float = 3_600.0,
    ) -> None:
        self.campaign = campaign
        self.said: list[str] = []
        self.stop = StopSignal()
        self.rows = pl.LazyFrame({"e164": [int(number) for number in numbers]})
        self.held = Campaign(folders.place, campaign, stop=self.stop)
        folders.plan(campaign, numbers, message=message)
        document = read_document(folders.place, campaign)
        assert document is not None
        self.held.open(document.settings)
        texts = TextPattern.of(Wording.of(message, None, downgrade=True, max_characters=1_000))
        self.sending = SendingNow(folders.place, self.held.owner)
        folder = folders.scratch / campaign
        folder.mkdir()
        self.repeats = Repeats(
            folders.place, campaign, texts, seconds, sending=self.sending, stop=self.stop, folder=folder
        )

    def send(self, then: Callable[[], object] = lambda: None) -> dict[str, str]:
        """Have a stretch; return who is left out, by the last two digits of the number."""
        with self.repeats.stretch(self.rows, self.said.append):
            found = {
                str(number)[-2:]: source
                for file in self.repeats.files(self.rows)
                for number, source in pl.read_parquet(file, columns=["e164", "source"]).iter_rows()
            }
            then()
        return found


@pytest.fixture
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> CampaignFolders:
    """A results folder on the disk, or in the store that the parameter names."""
    store: Store = request.getfixturevalue(getattr(request, "param", "local_store"))
    return CampaignFolders(store, tmp_path)


@pytest.fixture
def s3_store(s3_access: S3Access) -> Store:
    return S3Store(s3_access.client(), "tests", f"repeats/{uuid.uuid4().hex}")


@pytest.fixture
def sender(folders: CampaignFolders) -> Generator[Callable[..., Sender]]:
    """Make campaigns of the folder; their leases are given back at the end."""
    with ExitStack() as leases:

        def make(campaign: str, numbers: Sequence[str], **options: Any) -> Sender:
            made = Sender(folders, campaign, numbers, **options)
            leases.push(made.held)
            return made

        yield make


@pytest.mark.parametrize("folders", ["local_store", "s3_store"], indirect=True)
def test_the_second_of_two_waits_and_then_sees_whom_the_first_has_texted(
    folders: CampaignFolders, sender: Callable[..., Sender]
) -> None:
    """Both have planned before one of them sent, so neither plan knows of the other's texts."""
    first, second = sender("first", [A, B]), sender("second", [B, C])
    with ThreadPoolExecutor(1) as pool:
        with first.repeats.stretch(first.rows, first.said.append):
            waiting = pool.submit(second.send)
            await_event(lambda: bool(second.said), "the second waits")
            folders.record("first", 0, Settlement.ACCEPTED)
        assert waiting.result() == {"02": "repeat:first"}
    assert second.said == ["waiting for campaign first, which is sending the same text to the same people"]
    assert first.said == []


@pytest.mark.parametrize(
    ("numbers", "options"),
    [([C], {}), ([A], {"message": "Goodbye"}), ([A], {"seconds": 0.0})],
    ids=["other people", "another text", "--repeat-after 0"],
)
def test_nobody_waits_for_no_reason(sender: Callable[..., Sender], numbers: list[str], options: dict[str, Any]) -> None:
    """Lists that are split in two, texts of another campaign, repeats that are wanted."""
    first, second = sender("first", [A, B]), sender("second", numbers, **options)
    with first.repeats.stretch(first.rows, first.said.append):
        assert second.send() == {}
    assert second.said == []


def test_a_campaign_that_is_stopped_waits_no_longer(sender: Callable[..., Sender]) -> None:
    """It gives its place back, too."""
    first, second = sender("first", [A]), sender("second", [A])
    with ThreadPoolExecutor(1) as pool, first.repeats.stretch(first.rows, first.said.append):
        waiting = pool.submit(second.send)
        await_event(lambda: bool(second.said), "the second waits")
        second.stop.set(Stop(StopCause.CANCELLED, "stopped"))
        waiting.result()
        assert [each.campaign for each in first.sending.read().stretches] == ["first"]


def test_a_campaign_that_was_killed_is_not_waited_for(folders: CampaignFolders, sender: Callable[..., Sender]) -> None:
    """Its lease is free, so it claims nothing more; what it has claimed counts."""
    killed, second = sender("killed", [A, B, C]), sender("second", [A, B, C])
    killed.sending.enter("killed", TextPattern("Hello", "", personal=False))
    folders.claim("killed", 0)
    killed.held.give_back()
    assert second.send() == {"01": "repeat:killed", "02": "repeat:killed"}
    assert [each.number for each in second.sending.read().stretches] == []


def test_nothing_is_read_again_while_nobody_else_sends(folders: CampaignFolders, sender: Callable[..., Sender]) -> None:
    """A plain campaign looks once, when it plans; as soon as somebody has entered, it looks again."""
    plain, other = sender("plain", [A]), sender("other", [A])
    assert plain.repeats.find(plain.rows, folders.scratch) == ()
    folders.record("other", 0, Settlement.ACCEPTED)  # which no campaign does without entering
    assert plain.send() == {}
    other.send()
    assert plain.send() == {"01": "repeat:other"}


def test_a_longer_window_of_a_policy_that_was_read_again_holds_from_the_next_look_on(
    folders: CampaignFolders, sender: Callable[..., Sender]
) -> None:
    folders.plan("earlier", [A])
    folders.record("earlier", 0, Settlement.ACCEPTED, at=NOW - 7_200)
    ours = sender("ours", [A])
    assert ours.send() == {}
    with ours.repeats.stretch(ours.rows, ours.said.append):
        assert ours.repeats.files(ours.rows) == ()
        ours.repeats.use(86_400.0)
        assert len(ours.repeats.files(ours.rows)) == 1
    ours.repeats.use(3_600.0)
    assert ours.send() == {}


def test_the_same_findings_have_the_same_file(folders: CampaignFolders, sender: Callable[..., Sender]) -> None:
    """What depends on them isn't made again."""
    folders.sent("first", [A])
    second, other = sender("second", [A]), sender("other", [C])
    before = second.repeats.files(second.rows)
    other.send()
    assert second.repeats.files(second.rows) == before != ()


def test_a_damaged_document_stops_the_sending(folders: CampaignFolders, sender: Callable[..., Sender]) -> None:
    """Nobody knows who sends; the message says what to do."""
    folders.place.put_if_absent(SENDING_KEY, b"{")
    with pytest.raises(InputError, match=r"sending\.json is damaged. Delete it while no campaign"):
        sender("first", [A]).send()
