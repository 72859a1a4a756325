"""Matches many patterns at once, and tells which ones a number matches as soon as all its completions agree."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from globe_sms.tasks.numbers.metadata_patterns import (
    ANY_DIGIT,
    Choice,
    Digits,
    End,
    Group,
    InOrder,
    Node,
    OneDigit,
    PatternError,
    Repeat,
    SplitError,
)

Tag = TypeVar("Tag", bound=Hashable)
Answer = TypeVar("Answer")
Runs = tuple[tuple[int, Answer], ...]


class Automaton(Generic[Tag]):
    """An automaton that reads a number digit by digit and tells which patterns match it (a lazy subset construction).

    A state is an integer; `start` is the first. Numbers that the patterns can't distinguish share a state.
    """

    start: int

    def __init__(self, patterns: Iterable[tuple[Tag, Node, bool]]) -> None:
        """Add patterns as (tag, pattern, whether it only has to match the start of the number)."""
        self._empty_moves: list[list[int]] = []
        self._digit_moves: list[list[tuple[int, int]]] = []
        self._tag_of: dict[int, Tag] = {}
        self._reached: dict[int, frozenset[int]] = {}
        self._states: dict[frozenset[int], int] = {}
        self._members: list[frozenset[int]] = []
        self._next: dict[int, tuple[int, ...]] = {}
        self._walked: dict[str, int] = {}
        entry = self._place()
        for tag, node, prefix_only in patterns:
            begin = self._place()
            self._empty_moves[entry].append(begin)
            final = self._place()
            self._empty_moves[self._add(node, begin)].append(final)
            self._tag_of[final] = tag
            if prefix_only:
                self._digit_moves[final].append((ANY_DIGIT, final))
        self.start = self._state(self._closure(entry))

    def step(self, state: int) -> tuple[int, ...]:
        """Return the states after each of the ten digits."""
        following = self._next.get(state)
        if following is None:
            sets: list[set[int]] = [set() for _ in range(10)]
            for place in self._members[state]:
                for allowed, target in self._digit_moves[place]:
                    for digit in range(10):
                        if allowed >> digit & 1:
                            sets[digit] |= self._closure(target)
            following = self._next[state] = tuple(self._state(frozenset(places)) for places in sets)
        return following

    def tags(self, state: int) -> frozenset[Tag]:
        """Return the tags of the patterns that match a number ending here."""
        return frozenset(self._tag_of[place] for place in self._members[state] if place in self._tag_of)

    def walk(self, known: str) -> int:
        """Return the state after these digits."""
        state = self._walked.get(known)
        if state is None:
            state = self.step(self.walk(known[:-1]))[int(known[-1])] if known else self.start
            self._walked[known] = state
        return state

    def _place(self) -> int:
        self._empty_moves.append([])
        self._digit_moves.append([])
        return len(self._empty_moves) - 1

    def _add(self, node: Node, begin: int) -> int:
        match node:
            case OneDigit(allowed):
                end = self._place()
                self._digit_moves[begin].append((allowed, end))
            case InOrder(parts):
                end = begin
                for part in parts:
                    end = self._add(part, end)
            case Choice(options):
                end = self._place()
                for option in options:
                    inner = self._place()
                    self._empty_moves[begin].append(inner)
                    self._empty_moves[self._add(option, inner)].append(end)
            case Repeat(part, least, most):
                end = self._add_repeated(part, least, most, begin)
            case Group(_, part):
                end = self._add(part, begin)
            case End():
                raise PatternError("`$` in a pattern that must match the whole number")
        return end

    def _add_repeated(self, part: Node, least: int, most: int, begin: int) -> int:
        end = self._place()
        place = begin
        for times in range(most + 1):
            if times >= least:
                self._empty_moves[place].append(end)
            if times < most:
                place = self._add(part, place)
        return end

    def _closure(self, place: int) -> frozenset[int]:
        reached = self._reached.get(place)
        if reached is None:
            seen = {place}
            waiting = [place]
            while waiting:
                for target in self._empty_moves[waiting.pop()]:
                    if target not in seen:
                        seen.add(target)
                        waiting.append(target)
            reached = frozenset(at for at in seen if self._digit_moves[at] or at in self._tag_of)
            self._reached[place] = reached
        return reached

    def _state(self, places: frozenset[int]) -> int:
        state = self._states.get(places)
        if state is None:
            state = self._states[places] = len(self._members)
            self._members.append(places)
        return state


class AutomatonQuery(Generic[Tag, Answer]):
    """A question to an automaton, answered for all completions of the unknown digits at once."""

    def __init__(self, automaton: Automaton[Tag], read: Callable[[frozenset[Tag]], Answer]) -> None:
        """Define the question as a function of a complete number's tags."""
        self._automaton = automaton
        self._read = read
        self._memo: dict[tuple[int, int], Runs[Answer]] = {}

    def of(self, digits: Digits) -> Answer:
        """Return the answer that all completions share, or raise SplitError."""
        (_, answer), *others = self.runs(digits)
        if others:
            raise SplitError
        return answer

    def runs(self, digits: Digits) -> Runs[Answer]:
        """Return (first completion, answer) for each run of completions with the same answer, from 0 on."""
        return self._runs(self._automaton.walk(digits.known), digits.unknown)

    def _runs(self, state: int, unknown: int) -> Runs[Answer]:
        key = (state, unknown)
        if key not in self._memo:
            self._memo[key] = self._joined(state, unknown)
        return self._memo[key]

    def _joined(self, state: int, unknown: int) -> Runs[Answer]:
        following = self._automaton.step(state)
        if not unknown or all(after == state for after in following):
            return ((0, self._read(self._automaton.tags(state))),)
        inner = {after: self._runs(after, unknown - 1) for after in dict.fromkeys(following)}
        first = inner[following[0]]
        if all(runs == first for runs in inner.values()) and len(first) == 1:
            return first
        tenth = 10 ** (unknown - 1)
        joined: list[tuple[int, Answer]] = []
        for digit, after in enumerate(following):
            for start, answer in inner[after]:
                if not joined or joined[-1][1] != answer:
                    joined.append((digit * tenth + start, answer))
        return tuple(joined)


def split_into_prefixes(length: int, decide: Callable[[Digits], Answer]) -> Iterator[tuple[Digits, Answer]]:
    """Split all numbers of a length into prefixes that `decide` has an answer for, in ascending order."""
    waiting = [Digits("", length)]
    while waiting:
        digits = waiting.pop()
        try:
            yield digits, decide(digits)
        except SplitError:
            waiting += [Digits(digits.known + digit, length) for digit in "9876543210"]
