"""The campaigns of a results folder, one by one."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from globe_sms.tasks.store import Store

_AT_ONCE: Final = 32

_Read = TypeVar("_Read")


def read_each(
    place: Store, read: Callable[[str], _Read | None], *, but: Collection[str] = (), at_once: int = _AT_ONCE
) -> list[_Read]:
    """Call `read` with the name of each folder that may be a campaign's, several at a time; return what isn't None.

    The results are in the order of the names. An id starts with a letter or a digit.

    Args:
        place: The results folder.
        read: Reads a campaign; None for one that doesn't count.
        but: Campaigns that aren't read.
        at_once: How many are read at the same time.

    Raises:
        StoreError: the store didn't answer, or refused.
    """
    names = [name for name in place.folders() if name[:1].isalnum() and name not in but]
    with ThreadPoolExecutor(at_once, thread_name_prefix="campaigns") as pool:
        return [found for found in pool.map(read, names) if found is not None]
