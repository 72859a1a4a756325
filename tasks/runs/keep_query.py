"""A campaign's query: asked whenever it's planned, and its rows kept in the campaign's folder as a list.

Nobody is asked about rows that nobody gets: once somebody was asked whether the plan may be sent, the rows that were
kept then stay the campaign's until the answer, and after a yes.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Final

from globe_sms.tasks.campaign.approval import Decision
from globe_sms.tasks.campaign.campaign_json import QUERIES, CampaignDocument, ListRead, query_on
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.stored_document import read_document
from globe_sms.tasks.recipients import Format, ListSource
from globe_sms.tasks.recipients.database_query import QueryRows, ask_database, check_database
from globe_sms.tasks.recipients.file_content import read_head
from globe_sms.tasks.recipients.file_formats import UTF8
from globe_sms.tasks.recipients.list_source import LocalCopy, Origin, refusal
from globe_sms.tasks.runs.find_database import find_database
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, about

_LONGEST: Final = 1 << 20


@about("--query-file")
def read_query(config: CampaignConfig, s3: Callable[[], S3Access]) -> str | None:
    """Return the text of a campaign's query, without a semicolon at its end; None without one.

    Raises:
        InputError: its file can't be read, or isn't a text.
    """
    place = config.query_file
    if place is None:
        return None if config.query is None else _bare(config.query)
    head = read_head(place, s3, _LONGEST)
    if not head.whole:
        raise refusal(place, f"it's longer than {_LONGEST >> 20} MiB, so it isn't a query: check --query-file")
    try:
        query = head.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refusal(place, "it isn't a text in UTF-8: check --query-file") from None
    if not _bare(query):
        raise refusal(place, "it is empty: write a query into it")
    return _bare(query)


def check_query(config: CampaignConfig, environ: Mapping[str, str] = os.environ) -> None:
    """Check that the database of a campaign's query is known and a driver installed; asks nothing.

    Raises:
        InputError: it isn't.
    """
    if config.connection is not None:
        check_database(find_database(config.connection, environ))


def ask_query(
    config: CampaignConfig,
    query: str | None,
    store: Store,
    scratch: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    now: datetime | None = None,
) -> QueryRows | None:
    """Return the rows of a campaign's query: as the database has them now, or as kept when somebody was asked.

    None without a query. `config` has its `query_sha256` and what it takes from its account; `store` is the results
    folder.

    Raises:
        InputError: the database can't be asked.
    """
    if config.connection is None or query is None:
        return None
    document = None if config.campaign is None or config.test_to else read_document(store, config.campaign)
    if document is not None and _is_shown(document, config, now or datetime.now(UTC)):
        kept = _fetch(document, store.within(document.campaign), scratch)
        if kept is not None:
            return kept
    return ask_database(find_database(config.connection, environ), query, scratch)


def as_list(rows: QueryRows, config: CampaignConfig, store: Store | None = None) -> ListSource:
    """Return the rows as a list; `store` is the campaign's folder, if they're kept there."""
    return ListSource(
        query_on(rows.connection) if store is None else f"{store.uri}/{_key(rows)}",
        Format.PARQUET,
        None,
        UTF8,
        rows.path.stat().st_size,
        f"sha256 {rows.digest}",
        copy=rows.copy,
        options=config.read_options,
        origin=Origin(connection=rows.connection, rows=rows.rows),
    )


def keep_query(rows: QueryRows, config: CampaignConfig, store: Store) -> ListSource:
    """Write the rows to the campaign's folder, unless they're there, and return them as a list.

    Raises:
        StoreError: they couldn't be written.
    """
    store.put_file_if_absent(_key(rows), rows.path)
    return as_list(rows, config, store)


def drop_earlier_queries(store: Store, lists: tuple[ListRead, ...]) -> None:
    """Delete the rows of earlier questions from the campaign's folder; the next plan's run deletes what stays."""
    used = {each.uri for each in lists}
    with contextlib.suppress(StoreError):
        for key in store.list(QUERIES):
            if f"{store.uri}/{key}" not in used:
                store.delete(key)


def _bare(query: str) -> str:
    return query.strip().rstrip(";").rstrip()


def _key(rows: QueryRows) -> str:
    return f"{QUERIES}{rows.digest}.parquet"


def _is_shown(document: CampaignDocument, config: CampaignConfig, now: datetime) -> bool:
    """Whether somebody has been asked about the rows, and may still answer or has said yes."""
    approval = document.approval
    if approval is None or approval.content != document.content or document.settings != config.frozen_settings():
        return False
    return approval.decision is Decision.APPROVED or approval.waits(now)


def _fetch(document: CampaignDocument, store: Store, scratch: Path) -> QueryRows | None:
    """Fetch the rows that the plan was made of; None if they aren't there any more."""
    for found, reading in document.readings:
        origin = reading.origin
        if origin is None or origin.connection is None:
            continue
        key = found.removeprefix(f"{store.uri}/")
        path = scratch / key.rpartition("query-")[2]
        rows = QueryRows(origin.connection, origin.rows or 0, LocalCopy(path, is_decoded=False))
        try:
            if not store.fetch(key, path):
                return None
        except StoreError as error:
            raise InputError(str(error)) from error
        with path.open("rb") as file:
            return rows if file_digest(file, "sha256").hexdigest() == rows.digest else None
    return None
