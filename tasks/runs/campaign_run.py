"""One run of a campaign: everything that it needs, and what the policy changes in it while it lasts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import PolicyRead
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.sending_now import SendingNow
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.messages.text_pattern import TextPattern
from globe_sms.tasks.numbers import Overrides
from globe_sms.tasks.planning.campaign_lists import opt_outs_of
from globe_sms.tasks.planning.exclusions import Exclusions
from globe_sms.tasks.planning.own_numbers import read_own_numbers
from globe_sms.tasks.planning.prefix_override_table import read_overrides
from globe_sms.tasks.policy.left_out_now import FrequencyNow, countries_left_out
from globe_sms.tasks.policy.place_results import PlaceResults
from globe_sms.tasks.policy.read_policy import Policy, read_policy
from globe_sms.tasks.policy.rules import Undeliverable
from globe_sms.tasks.policy.tighten import planning_digest, tightened
from globe_sms.tasks.policy.undeliverable import UndeliverableNow
from globe_sms.tasks.recipients import ListSource
from globe_sms.tasks.repeats.repeats import Repeats
from globe_sms.tasks.reports.prices import Prices, read_prices
from globe_sms.tasks.retention.forgotten import ForgottenNumbers
from globe_sms.tasks.runs.run_resources import RunResources
from globe_sms.tasks.sending.call_size import CallSize
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, about
from globe_sms.tasks.vocabulary.stop_signal import StopSignal


@dataclass(frozen=True)
class CampaignTables:
    """What a campaign reads beside its lists.

    Attributes:
        overrides: prefixes that count as mobile, or not.
        prices: of a part; None without a table of them.
        budget_prices: what the policy's budgets are counted with; None if they aren't about costs.
        own: the numbers that a test goes to; None if the campaign goes to the lists.
    """

    overrides: Overrides
    prices: Prices | None
    budget_prices: Prices | None
    own: pl.DataFrame | None

    @classmethod
    def read(cls, config: CampaignConfig, policy: Policy | None, s3: Callable[[], S3Access]) -> "CampaignTables":
        """Read them; the policy's prices where the campaign has none.

        Raises:
            InputError: one of them can't be read.
        """
        with about("--numbers-override"):
            overrides = read_overrides(config.numbers_override, s3)
        of_policy = read_prices(None if policy is None else policy.rules.prices, s3)
        with about("--prices"):
            prices = of_policy if config.prices is None else read_prices(config.prices, s3)
        budget_prices = of_policy if policy is not None and policy.rules.budget.need_prices else None
        own = None
        if config.test_to:
            own = read_own_numbers(config.test_to, default_region=config.default_region, overrides=overrides, s3=s3)
        return cls(overrides, prices, budget_prices, own)


class CampaignRun:
    """One run: its configuration, what it has opened, and what it counts.

    Not a dataclass, so that Prefect passes it to a task unread.

    Attributes:
        config: with what the account and the tables add to it, tightened by the policy.
        policy: the account's standing rules; None without any.
        resources: the account, S3 and the results folder.
        tables: what was read beside the lists.
        campaign: whose lease it holds.
        ledger: the campaign's.
        stop: ends all of its threads.
        progress: what it counts.
        call_size: the most numbers of its calls.
        scratch: a local folder that goes with the run.
        place_results: the rows of all campaigns of the results folder, as they are now.
        frequency: which numbers have had as many texts lately as the policy allows.
        undeliverable: which numbers' texts failed for good.
        forgotten: which numbers were erased for good (`globe-sms forget`).
        sources: the lists as they were found at the start: only these are planned; None if the plan was frozen then.
        opt_outs: the opt-out lists, read again whenever they change.
        exclusions: what keeps rows of the plan from being sent now, looked at before each stretch of sending.
        repeats: who already has the text from another campaign, or is getting it now.
        end: when its texts may go out for the last time.
    """

    def __init__(
        self,
        *,
        config: CampaignConfig,
        policy: Policy | None,
        resources: RunResources,
        tables: CampaignTables,
        campaign: Campaign,
        ledger: Ledger,
        stop: StopSignal,
        scratch: Path,
        sources: tuple[ListSource, ...] | None,
    ) -> None:
        self._own_config = config
        self.config = tightened(config, policy)
        self.policy = policy
        self.resources = resources
        self.tables = tables
        self.campaign = campaign
        self.ledger = ledger
        self.stop = stop
        self.progress = Progress()
        self.call_size = CallSize(config.numbers_per_call)
        self.scratch = scratch
        self.sources = sources
        self.place_results = PlaceResults(resources.store, resources.s3, scratch)
        sending = SendingNow(resources.store, campaign.owner)
        self.frequency = FrequencyNow(self.place_results, campaign.id, sending, scratch)
        self.undeliverable = UndeliverableNow.of(self.place_results, campaign.id, scratch)
        self.forgotten = ForgottenNumbers(resources.store, scratch)
        self.opt_outs = opt_outs_of(self.config, resources.s3, scratch, tables.overrides)
        self.end = self.config.end
        self.repeats = Repeats(
            resources.store,
            campaign.id,
            TextPattern.of(config.wording),
            self.config.repeat_after_seconds,
            sending=sending,
            stop=stop,
            folder=scratch,
        )
        # All that keeps rows of the plan from being sent: each source is looked at before every stretch of sending.
        # The policy goes first: it may name other opt-out lists by now.
        self.exclusions = Exclusions(
            (self.forgotten.files, self._left_out_by_policy, lambda _: self.opt_outs.files(), self.repeats.files),
            scratch,
        )

    @property
    def has_ended(self) -> bool:
        """Whether the campaign's end (`--until`) has come for everybody."""
        return time.time() >= self.end.at

    def _left_out_by_policy(self, rows: pl.LazyFrame) -> tuple[Path, ...]:
        """Read the policy again, and return files for `leave_out`: which of these rows it keeps back now.

        Raises:
            InputError: it can't be read, or its hours have changed.
            StoreError: the store didn't answer, or refused.
        """
        self._read_policy_again()
        plan, countries = self.campaign.document.plan, ()
        if plan is None or plan.inputs.policy != planning_digest(self.policy):
            countries = countries_left_out(rows, self.config.allow_country, self.config.deny_country, self.scratch)
        return (*countries, *self.too_often(rows), *self.never_arrives(rows))

    def _read_policy_again(self) -> None:
        policy = read_policy(self.resources.account, self._own_config.results, self.resources.s3)
        if (policy and policy.digest) == (self.policy and self.policy.digest):
            return
        config = tightened(self._own_config, policy)
        if config.quiet_hours != self.config.quiet_hours:
            raise InputError("the policy's hours have changed since this run began")
        self.config, self.policy = config, policy
        self.opt_outs.use(config.suppress)
        self.repeats.use(config.repeat_after_seconds)
        self.note_policy()

    def note_policy(self) -> None:
        """Keep in campaign.json which policy this run applies."""
        hours = None if self.config.quiet_hours is None else str(self.config.quiet_hours)
        policy = self.policy
        read = None if policy is None else PolicyRead(place=policy.place, digest=policy.digest, hours=hours)
        if self.campaign.document.policy != read:
            self.campaign.update(policy=read)

    @property
    def counts_frequency(self) -> bool:
        """Whether the policy limits how many texts a number gets; codes and tests are exempt."""
        exempt = self.config.type is MessageType.OTP or bool(self.config.test_to)
        return not exempt and self.policy is not None and bool(self.policy.rules.frequency)

    def too_often(self, rows: pl.LazyFrame) -> tuple[Path, ...]:
        """Return files for `leave_out`: which of these rows have had as many texts lately as the policy allows.

        Raises:
            InputError, StoreError: it isn't known who was texted.
        """
        return self.frequency.files(rows, self.policy) if self.counts_frequency else ()

    @property
    def undeliverable_rules(self) -> tuple[Undeliverable, ...]:
        """When a number counts as undeliverable, by the campaign's option and by the policy; tests are exempt.

        Codes are exempt from the policy: somebody waits for one, and their number may work by now.
        """
        if self.config.test_to:
            return ()
        days = self.config.exclude_undelivered
        own = [] if days is None else [Undeliverable(days=float(days))]
        rule = None if self.policy is None else self.policy.rules.undeliverable
        return (*own, *([] if rule is None or self.config.type is MessageType.OTP else [rule]))

    def never_arrives(self, rows: pl.LazyFrame) -> tuple[Path, ...]:
        """Return files for `leave_out`: to which of these rows texts failed for good; looked up once a run.

        Raises:
            InputError, StoreError: it isn't known.
        """
        return self.undeliverable.files(rows, self.undeliverable_rules)

    def find_left_out(self, rows: pl.LazyFrame, folder: Path) -> tuple[Path, ...]:
        """Return files for `leave_out`: who of these rows has the text, has got too many, or never gets one.

        For planning.

        Raises:
            InputError, StoreError: it isn't known who was texted.
        """
        return (
            *self.forgotten.files(rows),
            *self.repeats.find(rows, folder),
            *self.too_often(rows),
            *self.never_arrives(rows),
        )

    @property
    def has_budgets(self) -> bool:
        """Whether the policy limits what campaigns send in a day or a month."""
        return self.policy is not None and not self.policy.rules.budget.are_empty

    @property
    def store(self) -> Store:
        """The campaign's own folder."""
        return self.campaign.store
