"""Which chunks go next: in plan order, or, where the campaign has hours, those whose recipients may be texted now."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.until import NO_END, Until
from globe_sms.tasks.planning.chunk_layout import ChunkLayout
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.stop_signal import StopSignal

_BATCH_SECONDS: Final = 60.0  # of turns: what is handed out at once stays in its order
_NAP_SECONDS: Final = 30.0
_SPARE_SECONDS: Final = 5.0  # from a chunk's handing out to its call, where no others are before it
_LONGEST_OPEN: Final = 86_400.0


class ChunkQueue(Protocol):
    """Hands out each chunk once, and one that comes back again. `take` is for one thread, `put_back` for any."""

    def take(self, most: int) -> Sequence[int]:
        """Return the next chunks, at most so many; may wait until some may go. Empty: only returned chunks remain."""
        ...

    def put_back(self, chunk: int) -> None:
        """Take back a chunk that was handed out and may not go now."""

    @property
    def is_over(self) -> bool:
        """Whether none are left that may still go in this run."""
        ...


class PlanOrderQueue:
    """Chunks in plan order, until the campaign's end."""

    def __init__(self, chunks: Sequence[int], *, end: Until = NO_END, clock: Callable[[], float] = time.time) -> None:
        self._chunks = chunks
        self._ends = end.end(())
        self._clock = clock
        self._taken = 0

    def take(self, most: int) -> Sequence[int]:
        """Return the next chunks; none after the campaign's end."""
        if self._clock() >= self._ends:
            return ()
        taken = self._chunks[self._taken : self._taken + most]
        self._taken += len(taken)
        return taken

    def put_back(self, chunk: int) -> None:
        """Refuse: chunks without hours may always go."""
        raise RuntimeError(f"chunk {chunk} has no hours, and came back")

    @property
    def is_over(self) -> bool:
        """Whether all were handed out, or the campaign's end has come."""
        return self._taken >= len(self._chunks) or self._clock() >= self._ends


class ShardQueue:
    """The first so many chunks of a queue, for one shard."""

    def __init__(self, queue: ChunkQueue, most: int) -> None:
        self._queue = queue
        self._left = most

    def take(self, most: int) -> Sequence[int]:
        """Return the next chunks of the part."""
        if self._left <= 0:
            return ()
        taken = self._queue.take(min(most, self._left))
        self._left -= len(taken)
        return taken

    def put_back(self, chunk: int) -> None:
        """Pass it on."""
        self._queue.put_back(chunk)

    @property
    def is_over(self) -> bool:
        """Whether the part, or all of it, was handed out."""
        return self._left <= 0 or self._queue.is_over


class HoursQueue:
    """The chunks of groups that are within their hours; groups whose hours end first come first.

    If no group is, it waits for the next one, at most until `longest_wait` seconds after its start. After that it
    hands out only chunks whose groups are within their hours. After a group's `end` it hands out none of it.
    """

    def __init__(
        self,
        chunks: Sequence[int],
        layout: ChunkLayout,
        hours: Hours,
        *,
        longest_wait: float,
        calls_per_second: float,
        stop: StopSignal,
        progress: Progress,
        say: Callable[[float, int], None],
        end: Until = NO_END,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """Take the chunks of a plan and how they were laid out.

        Args:
            chunks: Their numbers, ascending.
            layout: The groups that they belong to.
            hours: When those may be texted.
            longest_wait: In seconds.
            calls_per_second: How fast they go, so that a minute's worth is handed out at once.
            stop: Ends every wait.
            progress: Shows until when it waits.
            say: Called with the same time and the number of chunks that wait.
            end: After which nothing is presented.
            clock: Unix time in seconds.
            wait: Waits so many seconds, or until the stop, and says whether it came; default: `stop.wait`.
        """
        self._layout = layout
        self._hours = hours
        self._batch = max(1, math.ceil(calls_per_second * _BATCH_SECONDS))
        self._stop = stop
        self._progress = progress
        self._say = say
        self._end = end
        self._clock = clock
        self._wait = wait or stop.wait
        self._give_up = clock() + longest_wait
        self._lock = threading.Lock()
        self._back: list[int] = []
        self._chunks: dict[int, deque[int]] = {}
        for chunk in chunks:
            self._chunks.setdefault(layout.group_of(chunk), deque()).append(chunk)
        self._closes: dict[int, float] = {}
        self._opens: dict[int, float | None] = {}
        self._said: float | None = None

    def take(self, most: int) -> Sequence[int]:
        """Return chunks of the open group that closes first, a minute's worth at most."""
        try:
            while self._stop.stop is None:
                groups = self._groups()
                group = min(filter(self._is_open, groups), key=self._urgency, default=None)
                if group is not None:
                    waiting = self._chunks[group]
                    return [waiting.popleft() for _ in range(min(most, self._batch, len(waiting)))]
                opens = min(filter(None, map(self._next_open, groups)), default=None)
                if opens is None:
                    return ()
                self._wait_a_while(opens)
            return ()
        finally:
            self._progress.waits_until(None)

    def put_back(self, chunk: int) -> None:
        """Keep it for its group's next hours."""
        with self._lock:
            self._back.append(chunk)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left, or nothing that opens in time."""
        return not any(self._is_open(group) or self._next_open(group) for group in self._groups())

    def _groups(self) -> list[int]:
        """Take back what has come back; return the groups that have chunks left."""
        with self._lock:
            back, self._back = self._back, []
        for chunk in sorted(back, reverse=True):
            self._chunks[self._layout.group_of(chunk)].appendleft(chunk)
        return [group for group, chunks in self._chunks.items() if chunks]

    def _zones(self, group: int) -> tuple[str, ...]:
        return self._layout.groups[group].zones or ()

    def _is_open(self, group: int) -> bool:
        """Whether it is open, and long enough for a call that is handed out now."""
        now = self._clock()
        return now + _SPARE_SECONDS < self._end.end(self._zones(group)) and all(
            self._hours.is_open(self._zones(group), at) for at in (now, now + _SPARE_SECONDS)
        )

    def _urgency(self, group: int) -> tuple[float, int]:
        """Return when an open group closes, looked for once in each of its hours, and its first chunk."""
        now = self._clock()
        if self._closes.get(group, now) <= now:
            self._closes[group] = self._hours.next_closed(self._zones(group), now, now + _LONGEST_OPEN)
        return self._closes[group], self._chunks[group][0]

    def _next_open(self, group: int) -> float | None:
        """Return when a closed group opens, in time; looked for once in each of its pauses."""
        soon = self._clock() + _SPARE_SECONDS
        opens = self._opens.get(group, soon)
        if opens is not None and opens <= soon:
            zones = self._zones(group)
            ends = self._end.end(zones)
            opens = None if soon >= ends else self._hours.next_open(zones, soon, min(self._give_up, ends))
            self._opens[group] = opens
        return opens

    def _wait_a_while(self, opens: float) -> None:
        """Wait for the next that opens, or a while: another may have come back by then, or the clock been set."""
        self._progress.waits_until(opens)
        if opens != self._said:
            self._said = opens
            self._say(opens, sum(map(len, self._chunks.values())))
        self._wait(min(max(0.0, opens - self._clock()), _NAP_SECONDS))
