"""Who was forgotten: an opt-out list of hashes, in the results folder. Nobody on it is ever texted again from there.

Each number is an object, `.globe-sms/forgotten/<hash>.json`, which holds the certificate of its erasure.
"""

from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import MARK, existing_hashes
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.row_reasons import RowReason

FORGOTTEN: Final = ".globe-sms/forgotten/"
_SUFFIX: Final = ".json"


def certificate_key(hashed: str) -> str:
    """Return the key of a number's certificate, by its hash."""
    return f"{FORGOTTEN}{hashed.removeprefix(MARK)}{_SUFFIX}"


class ForgottenNumbers:
    """Finds rows of forgotten numbers; nothing is compared if there are none, or none since the last look.

    Args:
        place: The results folder.
        folder: A local folder that stays as long as the files are used.
    """

    def __init__(self, place: Store, folder: Path) -> None:
        self._place = place
        self._folder = folder
        self._looked_at: tuple[str, ...] = ()
        self._files: tuple[Path, ...] = ()
        self._looks = 0

    def files(self, rows: pl.LazyFrame) -> tuple[Path, ...]:
        """Return files for `leave_out`: which of these rows (e164) were forgotten.

        Raises:
            InputError: there are some, and the key of their hashes is gone.
            StoreError: the store didn't answer, or refused.
        """
        keys = tuple(self._place.list(FORGOTTEN))
        if keys != self._looked_at:
            self._files = self._compare(rows, keys) if keys else ()
            self._looked_at = keys
        return self._files

    def _compare(self, rows: pl.LazyFrame, keys: tuple[str, ...]) -> tuple[Path, ...]:
        hashed = pl.Series([f"{MARK}{key.removeprefix(FORGOTTEN).removesuffix(_SUFFIX)}" for key in keys])
        ours = rows.select(pl.col("e164").drop_nulls().unique()).collect(engine="streaming")["e164"]
        numbers = existing_hashes(self._place).numbers("+" + ours.cast(pl.String))
        found = ours.filter(numbers.is_in(hashed.implode()))
        if found.is_empty():
            return ()
        self._looks += 1
        file = self._folder / f"forgotten-{self._looks}.parquet"
        pl.DataFrame({"e164": found}).with_columns(source=pl.lit(RowReason.FORGOTTEN.value)).write_parquet(file)
        return (file,)
