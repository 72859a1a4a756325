"""What an operator reads of a run that something interrupted: what it was, in plain words."""

from typing import Final

# By name, since Prefect's are among them, which nothing below the flows imports.
_WORDS: Final = {
    "KeyboardInterrupt": "The run was stopped by Ctrl-C.",
    "Pause": "Somebody paused the run.",
    "Sigterm": "The run was told to end (SIGTERM).",
}
# Prefect ends a run in the same way in both cases.
_CANCELLED: Final = "Somebody cancelled the run, or its worker was stopped."


def interruption_words(error: BaseException) -> str:
    """Return one sentence that says what interrupted the run, without a class's name."""
    return _WORDS.get(type(error).__name__, _CANCELLED)


def is_pause(error: BaseException) -> bool:
    """Whether somebody paused the run in Prefect."""
    return type(error).__name__ == "Pause"
