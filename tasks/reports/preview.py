"""The preview in figures: what a campaign would send."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from globe_sms.tasks.campaign.campaign_json import NoLists
from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.campaign.until import NO_END, Until
from globe_sms.tasks.pacing.schedule_state import ScheduleState
from globe_sms.tasks.planning.hours_forecast import HoursForecast
from globe_sms.tasks.planning.left_out import NOBODY_LEFT_OUT, LeftOutFigures
from globe_sms.tasks.recipients import ListReading
from globe_sms.tasks.reports.cost import Cost
from globe_sms.tasks.reports.null_markers import NullMarkers
from globe_sms.tasks.reports.policy_shown import PolicyShown
from globe_sms.tasks.reports.replaced_characters import ReplacedCharacters
from globe_sms.tasks.reports.saved_texts import SavedTexts
from globe_sms.tasks.reports.strange_countries import StrangeCountry
from globe_sms.tasks.reports.text_figures import TextFigures
from globe_sms.tasks.reports.ucs2_texts import Ucs2
from globe_sms.tasks.results.canary import Canary
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.statuses import SENDABLE


@dataclass(frozen=True, slots=True)
class Group:
    """How many rows of the plan have a status for a reason; `status` is `sendable` for rows without one."""

    status: str
    reason: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class Destination:
    """How many sendable rows go to a region (ISO 3166 alpha-2)."""

    region: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One of the first rows that are left out for a reason; the recipient is masked, the first row is 0.

    `detail` is the earlier row of a duplicate, or the list that has the opt-out.
    """

    status: str
    reason: str | None
    source: str
    row: int
    recipient: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """The message as one of the first recipients will read it; the number is masked.

    `choice` is the variant or the language whose text it is, in words; None where there's one text.
    """

    phone_number: str
    region: str | None
    text: str
    choice: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The figures of a plan, and how much of it this run would send. It holds no whole phone number.

    `rows`, `groups`, `destinations`, `refused`, `costs` and `exceeded_limits` are about the whole plan; `numbers`,
    `calls`, `resent_chunks`, `parts` and `cost` about what this run has left to send. `parts` and `cost` are None if
    they aren't known. `canary_first` is how many numbers this run sends before the others; `canary` is their result,
    once it is known. `is_test`: it goes to the operator's own numbers. `is_earlier`: the sending began in an
    earlier run, and the lists weren't read again. `changes` is what differs from the last plan, which nobody got.
    `id_is_made`: the campaign's id was made from its settings and lists. `gateway` is where the calls go. After `end`
    nothing is sent; `numbers_in_time` is about how many numbers can be before, None where nothing tells. `repeats` is
    how many rows of the plan have the text from which other campaign; `saved` is what undeliverable ones would cost.
    `readings` is what was read of each list, by its URI; `passed_over` is what was beside the lists.
    `left_out` is about opt-outs. `policy` is None without one. `schedule` is the account's; None if nobody has sent.
    `texts` are several texts, by variant or language; empty for one text.
    """

    campaign: str
    lists: tuple[str, ...]
    type: str
    senders: Senders
    dry_run: bool
    rows: int
    groups: tuple[Group, ...]
    destinations: tuple[Destination, ...]
    refused: tuple[RefusedRow, ...]
    samples: tuple[Sample, ...]
    numbers: int
    calls: int
    resent_chunks: int
    calls_per_second: float
    parts: int | None = None
    cost: str | None = None
    costs: Cost | None = None
    exceeded_limits: tuple[str, ...] = ()
    ucs2: Ucs2 | None = None
    replaced: ReplacedCharacters | None = None
    null_markers: NullMarkers | None = None
    hours_forecast: HoursForecast | None = None
    canary_first: int | None = None
    max_failure_rate: float = 1.0
    canary: Canary | None = None
    is_test: bool = False
    is_earlier: bool = False
    changes: tuple[tuple[str, str], ...] = ()
    id_is_made: bool = False
    gateway: str | None = None
    left_out: LeftOutFigures = NOBODY_LEFT_OUT
    end: Until = NO_END
    numbers_in_time: int | None = None
    repeats: Mapping[str, int] = field(default_factory=dict[str, int])
    saved: SavedTexts | None = None
    readings: tuple[tuple[str, ListReading], ...] = ()
    strange_countries: tuple[StrangeCountry, ...] = ()
    passed_over: tuple[NoLists, ...] = ()
    policy: PolicyShown | None = None
    schedule: ScheduleState | None = None
    texts: tuple[TextFigures, ...] = ()

    @property
    def held_out(self) -> int:
        """How many rows get no text, to compare with."""
        return sum(group.rows for group in self.groups if group.reason == RowReason.HOLDOUT)

    @property
    def sendable(self) -> int:
        """How many rows the plan sends, in this run or in earlier ones."""
        return sum(group.rows for group in self.groups if group.status == SENDABLE)

    @property
    def seconds(self) -> float:
        """How long this run's calls take at the given rate."""
        return self.calls / self.calls_per_second
