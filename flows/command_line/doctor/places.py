"""Checks of the places on S3 or disk: the results folder keeps the ledger's promises, and the lists can be read."""

from collections.abc import Callable, Iterator, Sequence

from globe_sms.flows.command_line.doctor.finding import Verdict
from globe_sms.tasks.account.account import Account
from globe_sms.tasks.recipients import find_lists
from globe_sms.tasks.store import probe
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access, is_s3
from globe_sms.tasks.vocabulary.plurals import counted


def check_results(results: str | None, account: Account, s3: Callable[[], S3Access]) -> Iterator[tuple[Verdict, str]]:
    """Write, read, list and delete a small object there, and where the account's schedule is kept.

    Raises:
        InputError: a right is missing, conditional writes are ignored, or the clocks differ.
    """
    if results is None:
        yield Verdict.NOTE, "not checked: give --results, as for `globe-sms send`"
        return
    store = open_store(results, s3)
    probe(store)
    next(iter(store.folders()), None)
    if is_s3(results):
        found = s3()
        yield Verdict.OK, f"{store.uri} can be written, read, listed and deleted from; it honors conditional writes"
        yield Verdict.OK, f"its endpoint is {found.endpoint}, its region {found.region}"
    else:
        yield Verdict.OK, f"{store.uri} can be written and read"
        yield Verdict.NOTE, "it's a local folder: only runs on this machine share it; a team uses s3://bucket/prefix"
    pacing = account.open_pacing(results, s3)
    if pacing.uri != store.uri:
        probe(pacing)
        yield Verdict.OK, f"the account's schedule is kept in {pacing.uri}"


def check_lists(uris: Sequence[str], s3: Callable[[], S3Access]) -> Iterator[tuple[Verdict, str]]:
    """Find the lists and read the first bytes of each.

    Raises:
        InputError: one can't be found or read.
    """
    if not uris:
        yield Verdict.NOTE, "not checked: name your lists, as for `globe-sms send`"
    for uri in uris:
        found = find_lists([uri], s3)
        formats = ", ".join(sorted({str(source.format.value) for source in found}))
        yield Verdict.OK, f"{uri}: {counted(len(found), 'list')} can be read ({formats})"
