"""`campaign.json`: all that is kept of a campaign beside its plan, ledger and results; read and written only here."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, ValidationError

from globe_sms.tasks.campaign.approval import Approval
from globe_sms.tasks.campaign.lease import Lease
from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.statuses import Status

DOCUMENT_KEY: Final = "campaign.json"
FORMAT: Final = 1
PLANS: Final = "plans/"
LISTS: Final = "lists/"
"""Where lists are kept that have no place of their own: frames, and the rows of queries."""
QUERIES: Final = f"{LISTS}query-"
SETTLED_BY_RECEIPT: Final = "settled_by_receipt"  # in `deliveries`, beside the deliveries
_LEFT_OUT_WHEN_EMPTY: Final = (
    "lists",
    "passed_over",
    "replaced",
    "sending_since",
    "policy",
    "usage",
    "published",
    "approval",
    "canary_failed",
    "deliveries",
    "erased_at",
    "is_erased",
)


def plan_key(plan: str) -> str:
    """Return the key of the plan with this id, in the campaign's folder."""
    return f"{PLANS}{plan}.parquet"


def query_on(connection: str) -> str:
    """Return what people know the rows of a query by."""
    return f"the query on {connection}"


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_in_utc), PlainSerializer(datetime.isoformat, when_used="json")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ListRead(_Part):
    """A list that the plan was made of; `identity` changes with its content.

    For the rows of a query, `connection` is where it was asked.
    """

    uri: str
    identity: str
    connection: str | None = None

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.uri if self.connection is None else query_on(self.connection)


class PolicyRead(_Part):
    """The policy that a run applied.

    Attributes:
        place: the URI of its file.
        digest: SHA-256 of its content.
        hours: in which the campaign's people may be texted under it; None for around the clock.
    """

    place: str
    digest: str
    hours: str | None = None


class NoLists(_Part):
    """What a folder, prefix or glob (`uri`) holds beside lists: how many files and folders, and the first names."""

    uri: str
    count: int
    names: tuple[str, ...]


class PlanInputs(_Part):
    """What a plan was made of, beside the frozen settings and the lists. It may change only before the first claim.

    Attributes:
        numbers_per_call: the size of its chunks.
        suppress: URIs of opt-out lists.
        left_out: SHA-256 of what identifies the opt-out lists and earlier results; changes with their content.
        phonenumbers: the version of the metadata that its rows were validated by.
        policy: SHA-256 of the policy's rules on who gets a text and when; empty without one.
    """

    numbers_per_call: int
    suppress: tuple[str, ...] = ()
    left_out: str = ""
    phonenumbers: str = ""
    policy: str = ""


class PlanFigures(_Part):
    """The current plan in figures.

    Attributes:
        id: names its object, `plan_key(id)`. Unique.
        inputs: what it was made of, beside the frozen settings and the lists.
        rows: by what they are planned as: `sendable`, or the status that they already have.
        chunks: how many there are.
        repeats: how many rows were left out because another campaign had sent them the text.
        numbers_override: the prefixes that count as mobile (true) or not; None without a table of them.
        readings: what was read of each list, in the order of the document's `lists`.
    """

    id: str
    inputs: PlanInputs
    rows: Mapping[str, int]
    chunks: int
    repeats: int = 0
    numbers_override: Mapping[str, bool] | None = None
    readings: tuple[ListReading, ...] = ()


class Usage(_Part):
    """What was presented to the gateway, for budgets.

    Attributes:
        currency: of the costs; None where they weren't counted.
        quarters: by the quarter of an hour (ISO 8601, UTC) numbers, parts and, where it's known, the cost.
    """

    currency: str | None = None
    quarters: Mapping[str, tuple[int, int, str | None]]


class ReplacedPlan(_Part):
    """What the plan before the current one was made of, and its rows; kept until a preview has said what changed."""

    settings: Mapping[str, Any]
    lists: tuple[ListRead, ...] | None
    inputs: PlanInputs
    rows: Mapping[str, int]


class Summary(_Part):
    """How the last run that wrote results ended.

    Attributes:
        campaign: its id.
        results: where they are.
        counts: rows by status; every status is there.
        calls: of this run.
        seconds: of this run.
        throttled: calls that the gateway throttled.
        resent_chunks: unknown chunks that this run sent again.
        stopped: why it stopped before its end; None if it didn't.
        ended_at: when.
    """

    campaign: str
    results: str
    counts: Mapping[str, int]
    calls: int
    seconds: float
    throttled: int = 0
    resent_chunks: int = 0
    stopped: str | None = None
    ended_at: Instant | None = None


class Publication(_Part):
    """A table of many campaigns that has this one's results.

    Attributes:
        uri: where the table is.
        numbers: what it says of phone numbers (`PublishNumbers`).
        date: the day of the campaign's partition; it never changes.
        is_current: whether the table has the campaign's latest results.
    """

    uri: str
    numbers: str
    date: str
    is_current: bool = False


class CampaignDocument(_Part):
    """One campaign.

    Attributes:
        campaign: its id.
        format: of this document.
        created_at: when a run first began it.
        settings: of the plan, or of the run that is making the first one: all that decides who gets which text.
        plan: the current one; None until there is one.
        replaced: the plan before, until a preview has said what changed.
        sending_since: when plan and settings were frozen, just before the first claim; None while it's planned only.
        summary: None until a run has written results.
        usage: what all runs presented, for the policy's budgets; None while a run adds to it, or after one was killed.
        published: the tables that have its results, or are to get them.
        lease: of the run that sends it now, or that was killed; None between runs.
        lists: what the plan was made of.
        passed_over: the files and folders beside them that were passed over by their names.
        policy: that the last run applied; None without one.
        approval: the last question whether it may be sent, and its answer.
        canary_failed: whether a run found that the canary failed.
        deliveries: accepted messages by delivery, and how many rows a receipt has settled; None if never tracked.
        erased_at: when the numbers and texts of all its rows began to be replaced by hashes; None if they weren't.
        is_erased: whether none is left in any of its objects.
    """

    campaign: str
    format: int = FORMAT
    created_at: Instant
    settings: Mapping[str, Any]
    plan: PlanFigures | None = None
    replaced: ReplacedPlan | None = None
    sending_since: Instant | None = None
    summary: Summary | None = None
    usage: Usage | None = None
    published: tuple[Publication, ...] = ()
    lease: Lease | None = None
    lists: tuple[ListRead, ...] | None = None
    passed_over: tuple[NoLists, ...] = ()
    policy: PolicyRead | None = None
    approval: Approval | None = None
    canary_failed: bool = False
    deliveries: Mapping[str, int] | None = None
    erased_at: Instant | None = None
    is_erased: bool = False

    @property
    def readings(self) -> tuple[tuple[str, ListReading], ...]:
        """What was read of each list, by its URI."""
        readings = () if self.plan is None else self.plan.readings
        return tuple((found.uri, reading) for found, reading in zip(self.lists or (), readings, strict=False))

    @property
    def outdated_tables(self) -> tuple[Publication, ...]:
        """Its tables as they are once its results have changed."""
        return tuple(each.model_copy(update={"is_current": False}) for each in self.published)

    @property
    def held_out(self) -> int:
        """How many rows of the plan get no text, to compare with; these are all that it says of `not_sent` rows."""
        return 0 if self.plan is None else self.plan.rows.get(Status.NOT_SENT, 0)

    @property
    def left(self) -> int:
        """How many rows the last run left to a later one; 0 without results."""
        return 0 if self.summary is None else self.summary.counts.get(Status.NOT_SENT, 0) - self.held_out

    @property
    def is_test(self) -> bool:
        """Whether it goes to the operator's own numbers; then it keeps nobody from getting a campaign."""
        return self.settings.get("test_to_sha256") is not None

    @property
    def is_ahead_of_results(self) -> bool:
        """Whether a run has claimed something since results were written last, if they ever were."""
        return self.sending_since is not None and self.usage is None

    def changed(self, **fields: Any) -> Self:
        """Return it with other top-level fields, which are checked."""
        return self.model_validate({**{name: getattr(self, name) for name in type(self).model_fields}, **fields})

    @property
    def content(self) -> str:
        """SHA-256 of the settings and the lists: what somebody who approves it has seen."""
        lists = [[found.uri, found.identity] for found in self.lists or ()]
        return hashlib.sha256(json.dumps([self.settings, lists], sort_keys=True).encode()).hexdigest()

    def encode(self) -> bytes:
        """Return it as JSON."""
        data = self.model_dump(mode="json")
        for name in _LEFT_OUT_WHEN_EMPTY:
            if not data[name]:
                del data[name]
        return json.dumps(data, indent=1, ensure_ascii=False).encode()

    @classmethod
    def decode(cls, body: bytes, place: str) -> Self:
        """Read what `encode` wrote; `place` is the URI of the campaign's folder.

        Raises:
            InputError: it is of another format, or damaged; one line that says what to do.
        """
        uri = f"{place}/{DOCUMENT_KEY}"
        try:
            data: Any = json.loads(body)
        except ValueError:
            raise _damaged(uri, "it isn't JSON") from None
        if isinstance(data, dict) and data.get("format", FORMAT) != FORMAT:
            raise InputError(
                f"{uri} has format {data['format']!r}, and this globe-sms reads format {FORMAT}: use the globe-sms "
                "that wrote it, or send under another --campaign."
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, detail["loc"]))
            raise _damaged(uri, f"{field}: {detail['msg']}" if field else str(detail["msg"])) from None


def _damaged(uri: str, what: str) -> InputError:
    return InputError(
        f"{uri} is damaged ({what}): restore an earlier version of the object, or send under another --campaign."
    )
