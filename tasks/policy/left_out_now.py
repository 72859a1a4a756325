"""Who is left out by the current policy: countries and texts per number, looked at before each stretch of sending.

The policy itself is read again at each look. A campaign that is being sent, or waits, is tightened by what changed.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.sending_now import SendingNow
from globe_sms.tasks.planning.left_out import named_after_content
from globe_sms.tasks.policy.frequency import texted_too_often
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.read_policy import Policy
from globe_sms.tasks.vocabulary.row_reasons import RowReason

_NO_COUNTRY: Final = "no-country"


def countries_left_out(
    rows: pl.LazyFrame, allowed: Sequence[str], denied: Sequence[str], folder: Path
) -> tuple[Path, ...]:
    """Write the countries of these rows that must not be texted to files for `leave_out`.

    The same countries give the same files. If only some countries are allowed, numbers that don't belong to any are
    listed one by one.

    Args:
        rows: What is about to be sent, with the columns e164 and region.
        allowed: The only countries that are texted; empty for all.
        denied: Countries that are never texted.
        folder: A local folder.
    """
    found = rows.select(pl.col("region").cast(pl.String).unique()).collect(engine="streaming")["region"]
    reasons = {
        region: RowReason.COUNTRY_DENIED if region in denied else RowReason.COUNTRY_NOT_ALLOWED
        for region in sorted(found.drop_nulls())
        if region in denied or (allowed and region not in allowed)
    }
    files: list[Path] = []
    if reasons:
        name = sha256(repr(reasons).encode()).hexdigest()
        files.append(folder / f"countries-{name}.parquet")
        pl.DataFrame({"region": list(reasons), "source": [reason.value for reason in reasons.values()]}).write_parquet(
            files[-1]
        )
    if allowed and found.null_count():
        files.append(folder / f"{_NO_COUNTRY}.parquet")
        if not files[-1].exists():
            numbers = rows.filter(pl.col("region").is_null()).select(
                "e164", source=pl.lit(RowReason.COUNTRY_NOT_ALLOWED.value)
            )
            numbers.unique("e164").sink_parquet(files[-1], engine="streaming")
    return tuple(files)


class FrequencyNow:
    """Which numbers have had as many texts lately as the policy allows; asked again if another campaign begins to send.

    During a stretch nobody else adds to it: campaigns that begin later leave out who is about to be texted by this one.
    What a campaign that was killed has left to send doesn't count: nobody knows whether it ever goes on, and if it
    does, it looks itself.

    Args:
        results: Reads the campaigns of the results folder.
        campaign: The campaign that is about to send.
        sending: Reads which campaigns send now.
        folder: A local folder that stays as long as the files are used.
    """

    def __init__(
        self,
        results: PlaceResults,
        campaign: str,
        sending: SendingNow,
        folder: Path,
    ) -> None:
        self._results = results
        self._campaign = campaign
        self._sending = sending
        self._folder = folder
        self._looked: tuple[int, str] | None = None
        self._files: tuple[Path, ...] = ()

    def files(self, rows: pl.LazyFrame, policy: Policy | None) -> tuple[Path, ...]:
        """Return files for `leave_out`; the same ones as long as nothing has changed.

        Raises:
            InputError: it isn't known who was texted.
            StoreError: the store didn't answer, or refused.
        """
        if policy is None or not policy.rules.frequency:
            return ()
        document = self._sending.read()
        looked = document.next, repr(policy.rules.frequency)
        if looked != self._looked:
            ours = next((each.number for each in document.stretches if each.campaign == self._campaign), document.next)
            earlier = [each for each in document.stretches if each.number < ours]
            ahead = {each.campaign for each in earlier if self._sending.is_alive(each)}
            file = self._folder / "frequency.parquet"
            found = texted_too_often(rows, policy.rules.frequency, self._results, file, but=self._campaign, ahead=ahead)
            self._files = () if found is None else (named_after_content(found),)
            self._looked = looked
        return self._files
