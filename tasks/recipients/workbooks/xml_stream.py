"""Parses XML of any size in bounded memory; what would fill the memory is refused."""

from collections.abc import Callable, Mapping
from typing import IO, Any, Final
from xml.parsers import expat

from globe_sms.tasks.recipients.list_source import refusal
from globe_sms.tasks.recipients.workbooks.package import DAMAGED

_CHUNK: Final = 1 << 16
_LONGEST_TOKEN: Final = 1 << 20
_DEEPEST: Final = 100
_MOST_NAMES: Final = 2_000


class EnoughError(Exception):
    """A handler has seen what it needs; parsing ends."""


class XmlHandler:
    """What to do with the elements of a document; names are without their prefix."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text, in pieces."""


def read_xml(uri: str, stream: IO[bytes], handler: XmlHandler) -> None:
    """Pass a document to a handler, until its end or until the handler raises `EnoughError`.

    Raises:
        InputError: it isn't well-formed, declares entities, or is built to fill the memory.
    """
    guard = _Guard(uri, handler)
    try:
        guard.parse(stream)
    except EnoughError:
        return
    except (expat.ExpatError, UnicodeError, ValueError, LookupError):
        raise refusal(uri, DAMAGED) from None


class _Guard:
    """Bounds what expat keeps: depth, distinct names, and the length of one token."""

    def __init__(self, uri: str, handler: XmlHandler) -> None:
        self._uri = uri
        self._handler = handler
        self._names: dict[str, str] = {}
        self._depth = 0
        self._is_alive = False
        self._text: Callable[[str], None] = handler.text

    def parse(self, stream: IO[bytes]) -> None:
        parser: Any = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.CommentHandler = self._seen
        parser.ProcessingInstructionHandler = self._seen
        parser.StartDoctypeDeclHandler = self._refuse
        silent = 0
        while piece := stream.read(_CHUNK):
            self._is_alive = False
            parser.Parse(piece, False)
            silent = 0 if self._is_alive else silent + len(piece)
            if silent > _LONGEST_TOKEN:
                self._refuse()
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._is_alive = True
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse()
        self._handler.start(self._names.get(name) or self._new(name), attributes)

    def _new(self, name: str) -> str:
        if len(self._names) >= _MOST_NAMES:
            self._refuse()
        return self._names.setdefault(name, name.rpartition(":")[2])

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._handler.end(self._names[name])

    def _characters(self, data: str) -> None:
        self._is_alive = True
        self._text(data)

    def _seen(self, *_: object) -> None:
        self._is_alive = True

    def _refuse(self, *_: object) -> None:
        raise refusal(self._uri, DAMAGED)
