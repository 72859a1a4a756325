"""Every row of a campaign accounted for: the plan, the ledger and what was learned after the sending, as results."""

from functools import lru_cache
from pathlib import Path

import polars as pl

from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.delivery.apply_states import apply_states
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.planning.exclusions import NOTHING_EXCLUDED, Excluded
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.results.join_plan_and_ledger import make_results, write_results
from globe_sms.tasks.results.ledger_answers import Answers, gather
from globe_sms.tasks.store import Store


def account_for(
    plan: FrozenPlan,
    ledger: Ledger,
    store: Store,
    scratch: Path,
    *,
    campaign: str,
    not_sent: str,
    unanswered: str = "interrupted",
    quiet: frozenset[int] = frozenset(),
    segments: int | None,
    excluded: Excluded = NOTHING_EXCLUDED,
    resends: bool = False,
) -> tuple[Path, dict[str, int]]:
    """Write the results as they stand now to a local file; return it and the rows by status.

    Args:
        plan: the campaign's rows.
        ledger: its claims and send records, which are read here.
        store: its folder, for the archive of deliveries.
        scratch: a local folder with room for the results.
        campaign: its id.
        not_sent: the reason of sendable rows whose chunk was never claimed.
        unanswered: the reason of rows whose chunk has a claim and no send record.
        quiet: chunks whose hours had not come; their reason is that, where they were never claimed.
        segments: how many parts the text has that all numbers get; None where each row has its own.
        excluded: rows that must not be presented now: those that weren't are accounted for with their reason.
        resends: whether the run presents unknown rows again: then the excluded ones of these have their reason, too.

    Raises:
        StoreError: the store did not answer, or refused.
    """
    histories = ledger.histories()
    archive = DeliveryArchive(store, scratch)
    states = None if archive.is_empty() else archive.put_together(campaign)

    @lru_cache(maxsize=1)  # the plan gives a long block in several parts, one after the other
    def answers_of(chunks: range) -> Answers:
        block = {index: histories[index] for index in chunks if index in histories}
        return gather(
            block,
            ledger.last_presentations(block),
            unanswered=unanswered,
            quiet=quiet.intersection(chunks) if quiet else (),
        )

    def results(rows: pl.LazyFrame, chunks: range) -> pl.LazyFrame:
        answers = answers_of(chunks)
        rows = rows if excluded.file is None else excluded.mark(rows, chunks)
        made = make_results(
            rows,
            answers,
            campaign,
            not_sent,
            plan.phonenumbers,
            segments=segments,
            resends=resends,
            to_write=states is None,
        )
        return made if states is None else apply_states(made, _of_block(states, chunks, answers), campaign)

    return write_results(plan, results, scratch)


def _of_block(states: pl.LazyFrame, chunks: range, answers: Answers) -> pl.LazyFrame:
    """Return the states that rows of these chunks can match: joins with those of all others would take their memory."""
    ids = answers.positions["message_id"].drop_nulls()
    named = pl.col("chunk").is_between(chunks.start, chunks.stop, closed="left").fill_null(value=False)
    return states.filter(named | pl.col("message_id").is_in(ids.implode()))


def account_for_chunks(
    plan: FrozenPlan, ledger: Ledger, store: Store, scratch: Path, *, campaign: str, chunks: range
) -> pl.LazyFrame:
    """Return the results of these few chunks as they stand now, without their parts; read from the ledger at once.

    Raises:
        StoreError: the store did not answer, or refused.
    """
    histories = {index: history for index, history in ledger.histories().items() if index in chunks}
    archive = DeliveryArchive(store, scratch)
    rows = plan.scan().filter(pl.col("chunk").is_between(chunks.start, chunks.stop, closed="left"))
    answers = gather(histories, ledger.last_presentations(histories))
    made = make_results(rows, answers, campaign, "stopped")
    if archive.is_empty():
        return made
    return apply_states(made, _of_block(archive.put_together(campaign), chunks, answers), campaign)
