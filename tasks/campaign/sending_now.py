"""`sending.json`: which campaigns of a results folder are sending now, in the order in which they began.

A campaign enters before each stretch of sending and leaves after it. All of them see the same
order. The entry of a killed run counts as long as its campaign's lease does.
"""

import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY, CampaignDocument, Instant, Usage
from globe_sms.tasks.campaign.lease import LEASE_SECONDS, Owner
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreUnavailableError

SENDING_KEY: Final = ".globe-sms/sending.json"
_TRIES: Final = 50
_LONGEST_PAUSE: Final = 0.5  # seconds


class Reservation(BaseModel):
    """What a stretch may use of the policy's budgets, and what its campaign had used before.

    Attributes:
        numbers: how many it's about to text.
        parts: how many parts their texts have.
        cost: what they cost; None if it isn't known.
        currency: of the cost.
        used: what the campaign had used before this stretch; None if it wasn't counted.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    numbers: int
    parts: int
    cost: str | None = None
    currency: str | None = None
    used: Usage | None = None


class Stretch(BaseModel):
    """A campaign that sends now.

    Attributes:
        number: its place in the order, unique in a results folder.
        campaign: its id.
        run: the run that sends it.
        texts: what its texts have in common.
        since: when it entered.
        reserved: what it reserved of the policy's budgets; None if that wasn't counted.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    number: int
    campaign: str
    run: str
    texts: TextPattern
    since: Instant
    reserved: Reservation | None = None


class SendingDocument(BaseModel):
    """The campaigns of a results folder that send now, in order; `next` is the number of the next one."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    next: int = 0
    stretches: tuple[Stretch, ...] = ()

    def encode(self) -> bytes:
        """Return it as JSON with a nonce, by which a swap whose reply was lost is recognized."""
        return json.dumps({**self.model_dump(mode="json"), "nonce": uuid.uuid4().hex}, ensure_ascii=False).encode()

    @classmethod
    def decode(cls, body: bytes, uri: str) -> Self:
        """Read what `encode` wrote.

        Raises:
            InputError: it's damaged.
        """
        try:
            return cls.model_validate(json.loads(body))
        except (ValueError, ValidationError):
            raise InputError(
                f"{uri} is damaged. Delete it while no campaign of this results folder is being sent."
            ) from None


class SendingNow:
    """Reads and writes `sending.json` of a results folder.

    Args:
        place: The results folder.
        owner: The run that asks.
        clock: Returns Unix time in seconds.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        place: Store,
        owner: Owner,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._place = place
        self._owner = owner
        self._clock = clock
        self._sleep = sleep

    def read(self) -> SendingDocument:
        """Return which campaigns send now; some of them may have been killed.

        Raises:
            InputError: the document is damaged.
            StoreError: the store didn't answer, or refused.
        """
        return self._read()[0]

    def enter(
        self,
        campaign: str,
        texts: TextPattern,
        reserve: Callable[[Sequence[Stretch]], Reservation] | None = None,
    ) -> SendingDocument:
        """Enter at the end of the order, and return it; remove entries of dead runs and older ones of this campaign.

        Args:
            campaign: The campaign that sends.
            texts: What its texts have in common.
            reserve: Returns what it may use of the budgets, given the others that send now. It's called again if
                somebody enters or leaves before this run's entry is written.

        Raises:
            InputError: the document is damaged; or `reserve` raises it.
            StoreError: the store didn't accept it.
        """
        alive: set[int] = set()

        def with_ours(document: SendingDocument) -> SendingDocument:
            others = [each for each in document.stretches if each.campaign != campaign]
            alive.update(each.number for each in others if each.number not in alive and self.is_alive(each))
            kept = tuple(each for each in others if each.number in alive)
            ours = Stretch(
                number=document.next,
                campaign=campaign,
                run=self._owner.run,
                texts=texts,
                since=datetime.fromtimestamp(self._clock(), UTC),
                reserved=None if reserve is None else reserve(kept),
            )
            return SendingDocument(next=document.next + 1, stretches=(*kept, ours))

        return self._swap(with_ours)

    def leave(self) -> None:
        """Take this run out of the order.

        Raises:
            StoreError: the store didn't accept it; the entry counts until the campaign's lease is free.
        """
        self._swap(
            lambda document: document.model_copy(
                update={"stretches": tuple(each for each in document.stretches if each.run != self._owner.run)}
            )
        )

    def is_alive(self, stretch: Stretch) -> bool:
        """Whether its run may still send because it holds its campaign's lease.

        A run writes campaign.json every few seconds, so one whose document is old, or can't be read, is dead.
        """
        stored = self._place.within(stretch.campaign).get(DOCUMENT_KEY)
        if stored is None:
            return False
        try:
            lease = CampaignDocument.decode(stored.body, stretch.campaign).lease
        except InputError:
            return stored.modified > self._clock() - 2 * LEASE_SECONDS
        return lease is not None and lease.run == stretch.run and not lease.is_free(self._clock(), self._owner)

    def _read(self) -> tuple[SendingDocument, str | None]:
        stored = self._place.get(SENDING_KEY)
        if stored is None:
            return SendingDocument(), None
        return SendingDocument.decode(stored.body, f"{self._place.uri}/{SENDING_KEY}"), stored.version

    def _swap(self, change: Callable[[SendingDocument], SendingDocument]) -> SendingDocument:
        for _ in range(_TRIES):
            document, version = self._read()
            changed = change(document)
            body = changed.encode()
            written = (
                self._place.put_if_absent(SENDING_KEY, body)
                if version is None
                else self._place.compare_and_swap(SENDING_KEY, body, version)
            )
            if written is not None:
                return changed
            self._sleep(random.uniform(0, _LONGEST_PAUSE))  # not for secrets
        raise StoreUnavailableError(
            f"{self._place.uri}/{SENDING_KEY}: other runs kept changing it; run the same command again."
        )
