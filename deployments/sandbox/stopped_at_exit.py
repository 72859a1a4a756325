"""What is started when it's made, and stopped at the end of its `with` block."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class StoppedAtExit(ABC):
    """A context manager whose end is `stop`."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it; safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
