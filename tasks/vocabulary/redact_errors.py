"""Strips causes from exceptions and masks their text: third-party messages may quote lists, requests and keys.

`raise ... from None` isn't enough: it only tells printers to hide the cause, which stays on the exception, as does the
context of every error raised while another is handled. Prefect logs what leaves a task or a flow with its whole chain.
"""

from contextlib import ContextDecorator
from types import TracebackType
from typing import Final

import polars as pl

from globe_sms.tasks.vocabulary.errors import GlobeSmsError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in

_POLARS_ERRORS: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_POLARS_MESSAGE: Final = "polars failed; its words are left out, as they may quote the lists"


class redact_errors(ContextDecorator):  # noqa: N801 - reads as a verb: `@redact_errors()`, `with redact_errors():`
    """Strip cause and context from each exception that leaves the block or the decorated function.

    Type and traceback stay. A polars message is replaced; in any other exception that isn't a `GlobeSmsError`, numbers
    are masked.
    """

    def __enter__(self) -> None:
        """Start the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the exception through, stripped."""
        if error is None:
            return
        error.__cause__ = error.__context__ = None
        if isinstance(error, _POLARS_ERRORS):
            error.args = (_POLARS_MESSAGE,)
        elif isinstance(error, Exception) and not isinstance(error, GlobeSmsError):
            error.args = tuple(mask_numbers_in(each) if isinstance(each, str) else each for each in error.args)
