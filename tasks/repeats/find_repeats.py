"""Which numbers of a campaign already have their text from an earlier one.

The plans of earlier campaigns are compared a few million rows at a time, so memory stays level however many there are.
Results or send records are read only where there are numbers of this campaign, and each number is settled by one
campaign, the latest that texted it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.number_hashes import existing_hashes, number_or_hash
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.planning.frozen_plan import ALL_HASHED, HASHES, with_integers, with_phone_numbers
from globe_sms.tasks.planning.left_out import TEXT_HASH, hash_texts
from globe_sms.tasks.repeats.earlier_campaigns import EarlierCampaign, find_earlier
from globe_sms.tasks.repeats.texted_positions import ClaimedChunks
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.row_reasons import RowReason

ROWS_AT_ONCE: Final = 2_000_000
_FEW_CHUNKS: Final = 20
_HASHED, _HASHED_TEXT = "hashed_e164", "hashed_text"
_AT: Final = ("campaign", "chunk", "position")


class RepeatFinder:
    """Finds who already has the text of a campaign.

    Args:
        place: The results folder.
        campaign: The campaign that is about to send; its own texts don't count.
        texts: What its texts have in common.
        seconds: How long a text counts.
        clock: Returns Unix time in seconds.
        rows_at_once: How many rows of earlier campaigns are in memory.
    """

    def __init__(
        self,
        place: Store,
        campaign: str,
        texts: TextPattern,
        seconds: float,
        *,
        clock: Callable[[], float] = time.time,
        rows_at_once: int = ROWS_AT_ONCE,
    ) -> None:
        self._place = place
        self._campaign = campaign
        self._texts = texts
        self._seconds = seconds
        self._clock = clock
        self._rows_at_once = rows_at_once
        self._keys = ["e164", TEXT_HASH] if texts.personal else ["e164"]

    def find(self, rows: pl.LazyFrame, folder: Path) -> tuple[Path, ...]:
        """Write who already has the text to a file in `folder` for `leave_out`; no file if nobody has.

        The file has the columns e164 (Int64), source (Categorical, `repeat:<campaign>`) and for personal texts
        `text_hash`, each number once, or each number and text.

        Args:
            rows: What is about to be sent, with e164 and, for personal texts, message. It's read once for every
                few million rows of earlier campaigns, and not at all if none may have sent the text.
            folder: A local folder with room for the plan of an earlier campaign.

        Raises:
            InputError: an earlier campaign can't be read, so it's unknown who has the text.
            StoreError: the store didn't answer, or refused.
        """
        since = self._clock() - self._seconds
        earlier = find_earlier(self._place, self._texts, since, self._campaign)
        ours = self._ours(rows)
        found: list[pl.DataFrame] = []
        numbered = list(enumerate(earlier))
        plain = [each for each in numbered if not each[1].is_erased]
        for texted, claimed in self._batches(plain, since, folder):
            found.append(self._confirmed(self._candidates(ours, texted, found), claimed, folder))
        if erased := [each for each in numbered if each[1].is_erased]:
            found += self._find_in_erased(erased, rows, found, since, folder)
        repeats = [each for each in found if each.height]
        if not repeats:
            return ()
        path = folder / "repeats.parquet"
        reasons = pl.Series([f"{RowReason.REPEAT}:{each.id}" for each in earlier], dtype=pl.String)
        source = pl.col("campaign").replace_strict(
            pl.int_range(len(earlier), dtype=pl.UInt32, eager=True), reasons, return_dtype=pl.Enum(reasons)
        )
        pl.concat(repeats).select(*self._keys, source.alias("source")).write_parquet(path, compression="lz4")
        return (path,)

    def _find_in_erased(
        self,
        erased: Sequence[tuple[int, EarlierCampaign]],
        rows: pl.LazyFrame,
        before: Sequence[pl.DataFrame],
        since: float,
        folder: Path,
    ) -> list[pl.DataFrame]:
        """Return who has the text from campaigns of which only hashes are left: our rows are hashed, and compared."""
        hashes = existing_hashes(self._place)
        personal = self._texts.personal
        ours = rows.select("e164", *(["message"] if personal else [])).drop_nulls().collect(engine="streaming")
        ours = ours.with_columns(hashes.of_integers(ours["e164"]).alias(_HASHED))
        if personal:
            texts = hashes.texts(ours["message"])
            ours = ours.select("e164", _HASHED, hash_texts(pl.col("message")), texts.hash().alias(_HASHED_TEXT))
        for each in before:
            ours = ours.join(each, on=self._keys, how="anti")
        keys = {"e164": _HASHED, **({TEXT_HASH: _HASHED_TEXT} if personal else {})}
        hashed = ours.select(pl.col(name).alias(key) for key, name in keys.items()).lazy()
        text = None if self._texts.text is None else hashes.text(self._texts.text)
        found: list[pl.DataFrame] = []
        for texted, claimed in self._batches(erased, since, folder, text):
            found.append(self._confirmed(self._candidates(hashed, texted, found), claimed, folder))
        return [each.rename(keys).join(ours, on=[*keys.values()]).select(*self._keys, "campaign") for each in found]

    def shares_with(self, rows: pl.LazyFrame, campaign: EarlierCampaign, folder: Path) -> bool:
        """Whether a campaign's plan has one of these rows' texts for the same number, sent or not."""
        plan = folder / "other-plan.parquet"
        if not campaign.store.fetch(campaign.plan_key, plan):
            return True  # nobody knows
        ours = self._ours(rows)
        try:
            return any(
                ours.join(piece.lazy(), on=self._keys, how="semi").head(1).collect(engine="streaming").height
                for piece in self._pieces(campaign, 0, plan)
            )
        finally:
            plan.unlink()

    def _ours(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        texts = [hash_texts(pl.col("message"))] if self._texts.personal else []
        return rows.select("e164", *texts).drop_nulls()

    def _batches(
        self, earlier: Sequence[tuple[int, EarlierCampaign]], since: float, folder: Path, text: str | None = None
    ) -> Iterator[tuple[pl.DataFrame, dict[int, ClaimedChunks]]]:
        """Yield the claimed positions of earlier campaigns with their numbers, a few million at a time.

        `text` is the hash of the text that all of ours get, for erased campaigns.
        """
        pieces: list[pl.DataFrame] = []
        claimed: dict[int, ClaimedChunks] = {}
        for number, campaign in earlier:
            chunks = ClaimedChunks(campaign, since)
            if not chunks.indexes:
                continue
            plan = folder / "earlier-plan.parquet"
            if not campaign.store.fetch(campaign.plan_key, plan):
                raise InputError(
                    f"whether people already have this text is unknown: campaign {campaign.id!r} has sent, and its "
                    f"plan ({campaign.store.uri}/{campaign.plan_key}) is missing. Restore it, or send with "
                    "--repeat-after 0, which doesn't look at other campaigns."
                )
            _check_erased(campaign, plan)
            indexes = pl.DataFrame({"chunk": sorted(chunks.indexes)}, schema={"chunk": pl.UInt32})
            for piece in self._pieces(campaign, number, plan, text):
                pieces.append(piece.join(indexes, on="chunk", how="semi"))
                claimed[number] = chunks
                if sum(each.height for each in pieces) >= self._rows_at_once:
                    yield pl.concat(pieces), claimed
                    pieces, claimed = [], {}
            plan.unlink()
        if pieces:
            yield pl.concat(pieces), claimed

    def _pieces(
        self, campaign: EarlierCampaign, number: int, plan: Path, text: str | None = None
    ) -> Iterator[pl.DataFrame]:
        """Yield the positions of a plan whose text could be ours, with their numbers."""
        rows = pl.scan_parquet(plan, glob=False)
        rows = with_phone_numbers(rows) if campaign.is_erased else with_integers(rows)
        height = rows.select(pl.len()).collect().item()
        for start in range(0, height, self._rows_at_once):
            part = rows.slice(start, self._rows_at_once).filter(pl.col("chunk").is_not_null())
            yield (
                self._with_our_text(part, campaign.texts, text or self._texts.text)
                .select(
                    number_or_hash() if campaign.is_erased else "e164",
                    *([TEXT_HASH] if self._texts.personal else []),
                    pl.lit(number, pl.UInt32).alias("campaign"),
                    "chunk",
                    "position",
                )
                .collect(engine="streaming")
            )

    def _with_our_text(self, rows: pl.LazyFrame, texts: TextPattern, ours: str | None) -> pl.LazyFrame:
        """Keep the rows whose text could be ours, with the hash of a personal one."""
        if ours is not None:
            return rows.filter(pl.col("message") == ours if texts.personal else pl.lit(texts.text == ours))
        return rows.with_columns(hash_texts(pl.col("message") if texts.text is None else pl.lit(texts.text)))

    def _candidates(self, ours: pl.LazyFrame, texted: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
        """Return the claimed positions that have our numbers and texts, the latest campaign's first."""
        both = ours.join(texted.lazy(), on=self._keys, how="semi").unique().collect(engine="streaming")
        for each in found:
            both = both.join(each, on=self._keys, how="anti")
        return texted.join(both, on=self._keys, how="semi").sort("campaign", maintain_order=True)

    def _confirmed(self, candidates: pl.DataFrame, claimed: dict[int, ClaimedChunks], folder: Path) -> pl.DataFrame:
        """Return each number once, with the latest campaign that may have texted it."""
        confirmed: list[pl.DataFrame] = []
        while candidates.height:
            latest = candidates.unique(self._keys, keep="first", maintain_order=True)
            is_texted = self._judge(latest, claimed, folder)
            confirmed.append(latest.filter(is_texted).select(*self._keys, "campaign"))
            candidates = candidates.join(confirmed[-1], on=self._keys, how="anti").join(
                latest.filter(~is_texted), on=[*self._keys, *_AT], how="anti"
            )
        nothing = candidates.select(*self._keys, "campaign").clear()
        return pl.concat([nothing, *confirmed])

    def _judge(self, positions: pl.DataFrame, claimed: dict[int, ClaimedChunks], folder: Path) -> pl.Series:
        """Say of each position whether it may have been texted: by results, and by claims and send records.

        One file of results takes the place of the send records of many chunks; for few chunks it's the longer way.
        """
        chunks = positions.group_by("campaign").agg(pl.col("chunk").n_unique())
        many = chunks.filter(pl.col("chunk") > _FEW_CHUNKS)["campaign"].to_list()
        by_results = [
            claimed[number]
            .texted_by_results(folder)
            .select(pl.lit(number, pl.UInt32).alias("campaign"), "chunk", "e164")
            for number in many
        ]
        known = pl.concat([positions.select("campaign", "chunk", "e164").clear(), *by_results])
        asked = positions.join(known, on=["campaign", "chunk", "e164"], how="anti")
        texted = asked.filter(self._judge_by_ledger(asked, claimed)).select(_AT)
        is_texted = pl.concat([positions.join(known, on=["campaign", "chunk", "e164"], how="semi").select(_AT), texted])
        return (
            positions.select(_AT)
            .join(is_texted.with_columns(is_texted=True), on=_AT, how="left", maintain_order="left")
            .select(pl.col("is_texted").fill_null(value=False))
            .to_series()
        )

    def _judge_by_ledger(self, positions: pl.DataFrame, claimed: dict[int, ClaimedChunks]) -> pl.Series:
        """Say of each position whether it may have been texted, by its chunk's claims and send records."""
        others: list[tuple[int, int, bool]] = []
        named: list[tuple[int, int, int, bool]] = []
        for (number,), chunks in positions.select("campaign", "chunk").unique().group_by("campaign"):
            for chunk, texted in claimed[number].texted(chunks["chunk"].sort()).items():
                others.append((number, chunk, texted.others))
                named += [(number, chunk, position, is_texted) for position, is_texted in texted.named.items()]
        schema = positions.select(_AT).schema
        return (
            positions.select(_AT)
            .join(
                pl.DataFrame(others, {**dict(list(schema.items())[:2]), "others": pl.Boolean}, orient="row"),
                on=_AT[:2],
                how="left",
                maintain_order="left",
            )
            .join(
                pl.DataFrame(named, {**schema, "named": pl.Boolean}, orient="row"),
                on=_AT,
                how="left",
                maintain_order="left",
            )
            .select(pl.coalesce("named", "others"))
            .to_series()
        )


def _check_erased(campaign: EarlierCampaign, plan: Path) -> None:
    """Fail closed while a campaign is being erased: then its numbers can't be compared.

    Raises:
        InputError: its plan and its campaign.json don't agree.
    """
    if campaign.is_erased is not (pl.read_parquet_metadata(plan).get(HASHES) == ALL_HASHED):
        raise InputError(
            f"whether people already have this text is unknown: the numbers of campaign {campaign.id!r} are being "
            "erased. Run the same command again; if that doesn't help, finish the erasure (globe-sms purge)."
        )
