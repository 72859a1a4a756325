"""No exception leaves our code with what it came from: others' words quote lists, requests and keys.

`raise ... from None` only asks printers not to show the origin: it stays on the exception, as does that of every error
that is raised while another one is handled. Prefect logs whatever leaves a task or a flow, origins and all.
"""

from contextlib import ContextDecorator
from types import TracebackType
from typing import Final

import polars as pl

from globe_sms.tasks.vocabulary.errors import GlobeSmsError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

_QUOTING: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_LEFT_OUT: Final = "polars failed; its words are left out, as they may quote the lists"


class RedactErrors(ContextDecorator):
    """A block, or as a decorator a function, whose exceptions leave without their causes and contexts.

    They keep their type and their traceback. Of what is not ours the words change too: polars' are left out, in any
    other's numbers are masked.
    """

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the exception pass, stripped."""
        if error is None:
            return
        error.__cause__ = error.__context__ = None
        if isinstance(error, _QUOTING):
            error.args = (_LEFT_OUT,)
        elif isinstance(error, Exception) and not isinstance(error, GlobeSmsError):
            error.args = tuple(mask_numbers_in(each) if isinstance(each, str) else each for each in error.args)
