r"""Matches the regular expressions of libphonenumber's metadata against numbers whose last digits aren't known yet.

The metadata uses a small part of the syntax: digits, classes, `\d`, groups, `|`, `?`, `{n,m}` and `$`. Anything else
is a `PatternError`, and the caller falls back to `phonenumbers` itself. An answer is true for every completion of the
unknown digits; if they don't decide it, `SplitError` asks for one more digit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ANY_DIGIT: Final = 0b11_1111_1111

Spans = dict[int, tuple[int, int]]
Found = tuple[int, Spans] | None
Then = Callable[[int, Spans], Found]


class PatternError(ValueError):
    """The metadata uses a construct that this module doesn't know."""


class SplitError(Exception):
    """The answer depends on a digit that isn't known yet."""


@dataclass(frozen=True, slots=True)
class Digits:
    """`length` digits; only the first ones are `known`."""

    known: str
    length: int

    @property
    def unknown(self) -> int:
        """The number of unknown digits at the end."""
        return self.length - len(self.known)

    def starts_with(self, prefix: str) -> bool:
        """Whether all completions start with `prefix`; SplitError if only some do."""
        if len(prefix) > self.length or not (self.known.startswith(prefix) or prefix.startswith(self.known)):
            return False
        if len(prefix) > len(self.known):
            raise SplitError
        return True

    def first(self, count: int) -> str:
        """Return the first `count` digits; SplitError if they aren't known."""
        if count > len(self.known):
            raise SplitError
        return self.known[:count]

    def after(self, at: int, prefix: str = "") -> "Digits":
        """Return `prefix` and the digits from `at` on; SplitError if a digit before `at` isn't known."""
        if at > len(self.known):
            raise SplitError
        known = prefix + self.known[at:]
        return Digits(known, len(known) + self.unknown)


@dataclass(frozen=True, slots=True)
class OneDigit:
    """One digit of a set; bit d of `allowed` is set for the digit d."""

    allowed: int

    def match(self, digits: Digits, at: int, spans: Spans, then: Then) -> Found:
        """Match this node at a position, then continue with `then`."""
        if at >= digits.length:
            return None
        if at < len(digits.known):
            return then(at + 1, spans) if self.allowed >> int(digits.known[at]) & 1 else None
        if self.allowed != ANY_DIGIT:
            raise SplitError
        return then(at + 1, spans)


@dataclass(frozen=True, slots=True)
class InOrder:
    """Parts in sequence."""

    parts: tuple["Node", ...]

    def match(self, digits: Digits, at: int, spans: Spans, then: Then) -> Found:
        """Match this node at a position, then continue with `then`."""
        if not self.parts:
            return then(at, spans)
        rest = InOrder(self.parts[1:])
        return self.parts[0].match(digits, at, spans, lambda end, spans: rest.match(digits, end, spans, then))


@dataclass(frozen=True, slots=True)
class Choice:
    """The first option that leads to a match."""

    options: tuple["Node", ...]

    def match(self, digits: Digits, at: int, spans: Spans, then: Then) -> Found:
        """Match this node at a position, then continue with `then`."""
        return next(filter(None, (option.match(digits, at, spans, then) for option in self.options)), None)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part `least` to `most` times, as often as possible."""

    part: "Node"
    least: int
    most: int

    def match(self, digits: Digits, at: int, spans: Spans, then: Then) -> Found:
        """Match this node at a position, then continue with `then`."""
        if self.most:
            again = Repeat(self.part, max(self.least - 1, 0), self.most - 1)
            found = self.part.match(digits, at, spans, lambda end, spans: again.match(digits, end, spans, then))
            if found:
                return found
        return None if self.least else then(at, spans)


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group; the first has index 1."""

    index: int
    part: "Node"

    def match(self, digits: Digits, at: int, spans: Spans, then: Then) -> Found:
        """Match this node at a position, then continue with `then`."""
        return self.part.match(digits, at, spans, lambda end, spans: then(end, {**spans, self.index: (at, end)}))


@dataclass(frozen=True, slots=True)
class End:
    """`$`: the end of the number."""

    def match(self, digits: Digits, at: int, spans: Spans, then: Then) -> Found:
        """Match this node at a position, then continue with `then`."""
        return then(at, spans) if at == digits.length else None


Node = OneDigit | InOrder | Choice | Repeat | Group | End


def parse_pattern(pattern: str) -> tuple[Node, int]:
    """Return the pattern's tree and its number of capturing groups.

    Raises:
        PatternError: the pattern uses an unknown construct.
    """
    parser = _Parser(pattern)
    node = parser.choice()
    if parser.rest:
        raise PatternError(f"unexpected {parser.rest[:5]!r} in the pattern {pattern!r}")
    return node, parser.groups


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.rest = pattern
        self.groups = 0

    def take(self, token: str) -> bool:
        if not self.rest.startswith(token):
            return False
        self.rest = self.rest[len(token) :]
        return True

    def until(self, token: str) -> str:
        text, found, self.rest = self.rest.partition(token)
        if not found:
            raise PatternError(f"{token!r} is missing after {text!r}")
        return text

    def choice(self) -> Node:
        options = [self.in_order()]
        while self.take("|"):
            options.append(self.in_order())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def in_order(self) -> Node:
        parts: list[Node] = []
        while self.rest and self.rest[0] not in "|)":
            parts.append(self.repeated(self.atom()))
        return parts[0] if len(parts) == 1 else InOrder(tuple(parts))

    def repeated(self, atom: Node) -> Node:
        if self.take("?"):
            bounds = ["0", "1"]
        elif self.take("{"):
            bounds = self.until("}").split(",")
        else:
            return atom
        if not all(bound.isdecimal() for bound in bounds) or self.rest[:1] in ("?", "+", "*", "{"):
            raise PatternError(f"an unknown repetition before {self.rest[:5]!r}")
        return Repeat(atom, int(bounds[0]), int(bounds[-1]))

    def atom(self) -> Node:
        if self.take("(?:"):
            return self.closed(self.choice())
        if self.rest.startswith("(?"):
            raise PatternError(f"an unknown group: {self.rest[:5]!r}")
        if self.take("("):
            self.groups += 1
            index = self.groups
            return Group(index, self.closed(self.choice()))
        if self.take("["):
            return OneDigit(_bits_of_class(self.until("]")))
        if self.take("\\d"):
            return OneDigit(ANY_DIGIT)
        if self.take("$"):
            return End()
        digit, self.rest = self.rest[0], self.rest[1:]
        return OneDigit(_bits_of_class(digit))

    def closed(self, node: Node) -> Node:
        if not self.take(")"):
            raise PatternError("a group is not closed")
        return node


def _bits_of_class(body: str) -> int:
    bits = 0
    while body:
        first, last, size = (body[0], body[2], 3) if body[1:2] == "-" and body[2:3] else (body[0], body[0], 1)
        if not (first.isascii() and first.isdecimal() and last.isascii() and last.isdecimal()):
            raise PatternError(f"a character that isn't a digit: {body!r}")
        for digit in range(int(first), int(last) + 1):
            bits |= 1 << digit
        body = body[size:]
    return bits


class StartPattern:
    """A pattern matched at the start of a number, like `re.match`."""

    def __init__(self, pattern: str) -> None:
        """Parse the pattern; PatternError for an unknown construct."""
        self._node, self.groups = parse_pattern(pattern)
        self._longest = _longest(self._node, 0)
        self._memo: dict[tuple[str, int], Found] = {}
        self._undecided: set[tuple[str, int]] = set()

    def removes(self, kept_group: int) -> int:
        """Return the most digits that a match has outside `kept_group` (0: the whole match)."""
        return _longest(self._node, kept_group)

    def match(self, digits: Digits) -> Found:
        """Return the end of the match and the groups' spans, or None.

        Raises:
            SplitError: completions of the unknown digits match differently.
        """
        key = (digits.known, min(digits.length, self._longest + 1))  # more digits make no difference
        if key in self._undecided:
            raise SplitError
        if key not in self._memo:
            try:
                self._memo[key] = self._node.match(Digits(*key), 0, {}, lambda end, spans: (end, spans))
            except SplitError:
                self._undecided.add(key)
                raise
        return self._memo[key]


def _longest(node: Node, free_group: int) -> int:
    """Return the most digits that a pattern matches, without those of one group."""
    match node:
        case OneDigit():
            return 1
        case InOrder(parts):
            return sum(_longest(part, free_group) for part in parts)
        case Choice(options):
            return max(_longest(option, free_group) for option in options)
        case Repeat(part, _, most):
            return most * _longest(part, free_group)
        case Group(index, part):
            return 0 if index == free_group else _longest(part, free_group)
        case End():
            return 0
