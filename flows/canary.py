"""Send a campaign's canary, judge it, and ask again before the others are texted."""

from flows.approval import approve
from flows.send_shards import send_shards
from flows.watching import watcher
from tasks.bulletin import Bulletin
from tasks.canary import Canary
from tasks.errors import InputError
from tasks.plan import FrozenPlan
from tasks.preview import Preview, preview_after
from tasks.run import Run
from tasks.steps import judge_canary, read_ledger
from tasks.stopping import Stop, StopCause
from tasks.todo import NOTHING, Todo


def send_canary(run: Run, plan: FrozenPlan, todo: Todo, preview: Preview, bulletin: Bulletin) -> Todo:
    """Return what may be sent after the canary: nothing where its fate, or somebody who is asked, says no.

    All of the canary's calls are answered before it is judged. One that an earlier run sent is judged, and not sent
    again. Without a canary, or where nobody comes after it, this returns `todo` as it is.

    Raises:
        CampaignBusyError, prefect.exceptions.Pause: as `flows.approval.approve`.
    """
    if run.order.dry_run:
        return todo
    if todo.begins_with_canary:
        _present(run, plan, todo, bulletin)
        if run.stop.stop is not None:
            return NOTHING
        todo = read_ledger(run, plan, after_canary=True)
    if not todo.is_after_canary:
        return todo
    canary = _judged(run, plan, todo)
    if run.stop.stop is not None:
        return NOTHING
    try:
        return approve(run, plan, todo, preview_after(canary, preview, todo), bulletin)
    except InputError as error:  # nobody can be asked here: no reason to leave the canary out of the results
        run.stop.set(Stop(StopCause.DECLINED, f"{error} Nothing but the canary was sent."))
        return NOTHING


def _present(run: Run, plan: FrozenPlan, todo: Todo, bulletin: Bulletin) -> None:
    """Send what is left of the canary: what is resent first, and the rest unless all that went by then has failed."""
    _send(run, plan, todo.resent_of_canary, bulletin)
    if run.stop.stop is None and todo.has_begun_canary:
        # Its hours, its failures or a kill kept the rest back: nobody is texted to have it judged more kindly.
        judge_canary(run, plan, todo, so_far=True)
    if run.stop.stop is None:
        _send(run, plan, todo.open_of_canary, bulletin)


def _send(run: Run, plan: FrozenPlan, todo: Todo, bulletin: Bulletin) -> None:
    if not todo.chunks:
        return
    bulletin.sending(run.tally)
    watcher().sending(run.tally)
    send_shards(run, plan, todo)
    if run.stop.stop is not None and run.stop.stop.for_failures:
        judge_canary(run, plan, todo, so_far=True)


def _judged(run: Run, plan: FrozenPlan, todo: Todo) -> Canary:
    watcher().step("judging the canary")
    return judge_canary(run, plan, todo)
