"""A store whose swaps are taken without an answer, as when a connection breaks off."""

from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import StoreUnavailableError


class LosesAnswers(LocalStore):
    """Takes a swap and says that it didn't answer, while `losing` is set."""

    losing = False

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        """Swap; see the class."""
        written = super().compare_and_swap(key, body, version)
        if self.losing and written is not None:
            raise StoreUnavailableError(key)
        return written
