"""Finds the JSON objects in a stream of bytes: one per line, in arrays, or one per file, indented or not.

Alibaba pushes arrays, and its message queue delivers single objects in base64; whatever collected them may have put
each push on a line, or cut one off. So commas, brackets and spaces between objects are ignored, text that holds an
object is read as one, and after anything else reading continues at the next line or the next opening brace.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from globe_sms.tasks.delivery.receipt_shapes import objects_in

_LONGEST_OBJECT: Final = 128 << 10  # characters; a delivery receipt has about 300, a queue's message up to 64 KiB
_BETWEEN: Final = re.compile(r"[\s,\[\]]*")
_NEXT: Final = re.compile(r"[\n{]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_DECODER: Final = json.JSONDecoder(parse_float=str)  # keeps digits as written


@dataclass(frozen=True, slots=True)
class Junk:
    """A line (the first is 1) that isn't a JSON object, or has something besides its objects."""

    line: int


class Scan:
    """One pass over a source."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._counted = 0
        self._line = 1
        self._junk_line = 0

    @property
    def line(self) -> int:
        """The line (the first is 1) where the last object or junk began."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def __iter__(self) -> Iterator[dict[str, Any] | Junk]:
        """Yield every object, and one `Junk` per line with anything else, in constant memory."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        for piece in chain(self._pieces, (None,)):
            _ = self.line
            self._text = self._text[self._at :] + decoder.decode(piece or b"", final=piece is None)
            self._at = self._counted = 0
            yield from self._objects(last=piece is None)

    def _objects(self, *, last: bool) -> Iterator[dict[str, Any] | Junk]:
        while True:
            between = _BETWEEN.match(self._text, self._at)
            self._at = self._at if between is None else between.end()
            if self._at == len(self._text):
                return
            value, end = self._value()
            if value is None and end == len(self._text) and not last and end - self._at < _LONGEST_OBJECT:
                return  # it may end in the next piece
            if value is not None:
                yield from value
                self._at = end
                continue
            line = self.line
            if line != self._junk_line:
                self._junk_line = line
                yield Junk(line)
            following = _NEXT.search(self._text, self._at + 1)
            self._at = len(self._text) if following is None else following.start()

    def _value(self) -> tuple[list[dict[str, Any]] | None, int]:
        """Return the objects of the value that begins here, and its end; without any, where more could change that."""
        more = len(self._text)
        first = self._text[self._at]
        if first in {"{", '"'}:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                return None, more
            return ([value], end) if first == "{" else (objects_in(value), end)
        packed = _BASE64.match(self._text, self._at)
        return (None, self._at) if packed is None else (objects_in(packed[0]), packed.end())
