"""A campaign's configuration: its options, checked before anything is opened."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Self

from globe_sms.tasks.campaign.checked_options import OF_THE_ACCOUNT, CheckedOptions
from globe_sms.tasks.campaign.date_placeholders import time_zone
from globe_sms.tasks.campaign.experiment import read_by_language, read_holdout, read_variants
from globe_sms.tasks.campaign.hours import Hours
from globe_sms.tasks.campaign.options import checks as option_checks
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from globe_sms.tasks.campaign.senders import ALL_OTHERS, Senders, senders_of
from globe_sms.tasks.campaign.until import HOURS, NO_END, Until, read_until
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.messages import Wording
from globe_sms.tasks.numbers import Overrides
from globe_sms.tasks.recipients import ReadOptions
from globe_sms.tasks.vocabulary.durations import seconds_of
from globe_sms.tasks.vocabulary.errors import InputError

_LONGEST_TESTED: Final = 100 - len("-test-01234567")
_FOUND_OUT: Final = (
    *("inherited", "numbers_override_sha256", "scheduled", "sender_by_country", "test_to_sha256"),
    *("query_sha256", "settings_before_policy"),
)
_OF_SEVERAL_TEXTS: Final = ("variant", "message_by_language", "language_column")
_OF_THE_WORDING: Final = ("message", "message_column", "downgrade", "max_characters", "keep_null_markers")
_FROZEN: Final = (
    *("recipients", "query_sha256", "connection"),
    *("number_column", "no_header", "header_row", "sheet", "hidden", "encoding"),
    *("default_region", "region_column", "first_number", "numbers_override_sha256"),
    *("type", *_OF_THE_WORDING),
    *("sender_id", "sender_by_country"),
    *("exclude_results", "allow_country", "deny_country", "test_to_sha256"),
)
_FROZEN_IF_GIVEN: Final = ("keep", "variant", "message_by_language", "holdout")
"""Not among the settings of a campaign without them, whose id stays what it was before there were such options."""


class CampaignConfig(CheckedOptions, frozen=True):
    """Everything that decides how a campaign is sent: all options, and what a run finds out about them.

    `scheduled` is when the run was to start, for the end that `until` names; None for now.
    `numbers_override_sha256`, `test_to_sha256` and `query_sha256` are made of the contents: settings freeze those, not
    the URIs.
    `settings_before_policy` are the frozen settings of the campaign's own options, once a policy has tightened them.
    """

    numbers_override_sha256: str | None = None
    test_to_sha256: str | None = None
    query_sha256: str | None = None
    settings_before_policy: Mapping[str, Any] | None = None
    scheduled: datetime | None = None

    def taking_from(self, settings: Mapping[str, Any]) -> Self:
        """Return the configuration with what was left to the account taken from these settings, where they have it."""
        taken = {name: settings[name] for name in self.inherited if name in settings}
        return self.model_copy(update=taken)

    @property
    def read_options(self) -> ReadOptions:
        """How the lists are read."""
        return ReadOptions(
            number_column=self.number_column,
            header_row=self.header_row,
            sheet=self.sheet,
            hidden=self.hidden,
            region_column=self.region_column,
            finds_region=True,
        )

    @property
    def senders(self) -> Senders:
        """Who the texts are from."""
        return senders_of(self.sender_id, self.sender_by_country)

    @property
    def quiet_hours(self) -> Hours | None:
        """When recipients may be texted; None for around the clock, and for codes and tests, which can't wait."""
        waited_for = self.type is MessageType.OTP or self.test_to
        return None if self.hours is None or waited_for else Hours.parse(self.hours)

    @property
    def hours_wait_seconds(self) -> float:
        """How long a run waits for people outside their hours."""
        return seconds_of(self.hours_wait, longest_days=option_checks.LONGEST_HOURS_WAIT_DAYS)

    @property
    def end(self) -> Until:
        """When the texts may go out for the last time. A test has no hours, so it doesn't end with them."""
        hours = self.quiet_hours
        if self.until is None or (self.until == HOURS and hours is None):
            return NO_END
        zone = time_zone(self.time_zone)
        return read_until(self.until, self.scheduled.astimezone(zone) if self.scheduled else datetime.now(zone), hours)

    @property
    def repeat_after_seconds(self) -> float:
        """How long nobody gets the same text again from another campaign; 0 without a limit.

        Codes are asked for one by one, and a test must be repeatable: neither has one.
        """
        if self.type is MessageType.OTP or self.test_to:
            return 0.0
        return seconds_of(self.repeat_after, longest_days=option_checks.LONGEST_REPEAT_AFTER_DAYS)

    @property
    def wording(self) -> Wording:
        """Where the texts come from."""
        return wording_of(self.model_dump(include={*_OF_THE_WORDING, *_OF_SEVERAL_TEXTS}))

    @property
    def holdout_share(self) -> float:
        """The share of the numbers that get no text (0 to 1); 0 in a test."""
        return 0.0 if self.holdout is None or self.test_to else read_holdout(self.holdout)

    @property
    def split_key(self) -> str:
        """What decides beside a number which variant it gets, and whether it's held out.

        It's the campaign's id, or what that is made of without the lists' contents: so rows in another order, or more
        of them, change nothing for a number.
        """
        return self.campaign or _digest(self._own_settings())

    def overriding(self, overrides: Overrides) -> Self:
        """Return the configuration with the content of its table of prefixes, which a resume must keep."""
        return self.model_copy(update={"numbers_override_sha256": overrides.digest if overrides.mobile else None})

    def asking(self, query: str | None) -> Self:
        """Return the configuration with the content of its query, which a resume must keep."""
        return self.model_copy(update={"query_sha256": None if query is None else _digest(query)})

    def testing(self, numbers: Iterable[int]) -> Self:
        """Return the configuration with the own numbers (E.164) that its test goes to, which a resume must keep."""
        return self.model_copy(update={"test_to_sha256": _digest(sorted(numbers))})

    @property
    def canary_numbers(self) -> int:
        """How many numbers go out before the others; 0 for none, as in a test."""
        return 0 if self.test_to else self.canary

    def options(self) -> dict[str, Any]:
        """Return the flat options that aren't at their default, without those left to the account.

        Own numbers stay secret: Prefect records stars instead.
        """
        options = self.model_dump(mode="json", exclude={*_FOUND_OUT, *self.inherited}, exclude_defaults=True)
        options |= {name: getattr(self, name) for name in OF_THE_ACCOUNT if name not in self.inherited}
        if self.test_to:
            options["test_to"] = list(self.test_to)
        if self.sender_by_country:
            is_given = self.sender_id is not None and "sender_id" not in self.inherited
            others = [f"{ALL_OTHERS}={self.sender_id}"] if is_given else []
            options["sender_id"] = [*self.sender_by_country, *others]
        return options

    def parameters(self) -> dict[str, Any]:
        """Return the flow's parameters for this configuration: `options`, in their groups."""
        return group_options(self.options())

    def frozen_settings(self) -> dict[str, Any]:
        """Return what a resume must keep: everything in the campaign's own options that decides who gets which text.

        Also what else the frozen plan is made of: the columns of the lists that it keeps.

        Opt-out lists, the size of calls and the policy aren't part of it: they apply to what is left to send.
        """
        if self.settings_before_policy is not None:
            return dict(self.settings_before_policy)
        settings = self.model_dump(mode="json", include={*_FROZEN, *_FROZEN_IF_GIVEN})
        return {
            **{name: settings[name] for name in _FROZEN_IF_GIVEN if settings[name]},
            **({"language_column": self.language_column} if self.message_by_language else {}),
            **{name: settings[name] for name in _FROZEN},
            "exclude_days": self.exclude_days if self.exclude_results else None,
            "hours": None if self.quiet_hours is None else str(self.quiet_hours),
            "canary": self.canary_numbers,
        }

    def campaign_for(self, identities: tuple[str, ...]) -> str:
        """Return the campaign id: the given one, or one made of the settings and the lists' contents.

        So the same command on the same lists is the same campaign: run twice, it sends once; also when the account's
        limits were raised in between. A test has an id of its own, made of the campaign's and all that it depends on.
        """
        if self.test_to:
            tested = self.model_copy(update={"test_to": (), "test_to_sha256": None}).campaign_for(identities)
            return f"{tested[:_LONGEST_TESTED]}-test-{_digest([tested, self._own_settings(), *identities])[:8]}"
        return self.campaign or f"campaign-{_digest([self._own_settings(), *identities])[:12]}"

    def _own_settings(self) -> dict[str, Any]:
        """Return what the id is made of: the frozen settings without the account's, and the opt-out lists."""
        settings = {**self.frozen_settings(), "suppress": self.suppress}
        if self.account is not None:
            settings |= {**dict.fromkeys(self.inherited & settings.keys()), "account": self.account}
        return settings


def wording_of(settings: Mapping[str, Any]) -> Wording:
    """Return where the texts of a campaign with these settings come from, such as those in its campaign.json.

    Raises:
        InputError: they name no text, so campaign.json is damaged.
    """
    given = {name: settings.get(name, CampaignConfig.model_fields[name].default) for name in _OF_THE_WORDING}
    message, column = given.pop("message") or None, given.pop("message_column")
    variants, languages = settings.get("variant") or (), settings.get("message_by_language") or ()
    if message is None and column is None and not variants and not languages:
        raise InputError("the settings have neither a message nor a column of texts: restore the latest campaign.json")
    return Wording.of(
        message,
        column,
        **given,
        variants={variant.name: variant.text for variant in read_variants(variants)},
        by_language=read_by_language(languages),
        tag_column=settings.get("language_column"),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
