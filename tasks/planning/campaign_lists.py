"""A campaign's lists and opt-out lists: found, opened with the columns that its texts need, checked before a run."""

from collections.abc import Callable
from pathlib import Path

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.numbers import NO_OVERRIDES, Overrides
from globe_sms.tasks.planning.check_placeholders import check_template
from globe_sms.tasks.planning.earlier_results import check_texted
from globe_sms.tasks.planning.opt_outs import OptOutLists, check_opt_outs
from globe_sms.tasks.recipients import (
    ListSource,
    OpenedList,
    find_lists,
    open_lists,
)
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import about


@about("recipients")
def find_campaign_lists(config: CampaignConfig, s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find the lists that a campaign names; none if all of its recipients come from a query.

    Raises:
        InputError: as `find_lists`.
    """
    if not config.recipients:
        return ()
    return find_lists(
        config.recipients,
        s3,
        encoding=config.encoding,
        has_header=not config.no_header,
        options=config.read_options,
    )


@about("recipients")
def open_campaign_lists(
    config: CampaignConfig, sources: tuple[ListSource, ...], s3: Callable[[], S3Access]
) -> tuple[OpenedList, ...]:
    """Open a campaign's lists, with the columns that its message needs.

    Raises:
        InputError: as `open_lists`, also for a placeholder without a column, or in the style of another system.
    """
    opened = open_lists(
        sources, number_column=config.number_column, s3=s3, columns=config.wording.columns, keep=config.keep
    )
    if not config.literal_placeholders:
        for each in opened:
            for option, text in config.templates:
                check_template(text, each.source.uri, each.names, option=option)
    return opened


def opt_outs_of(
    config: CampaignConfig, s3: Callable[[], S3Access], scratch: Path, overrides: Overrides = NO_OVERRIDES
) -> OptOutLists:
    """Return a campaign's opt-out lists; `scratch` must stay as long as their files are used."""
    return OptOutLists(
        config.suppress,
        s3,
        scratch,
        default_region=config.default_region,
        overrides=overrides,
        on_damaged=config.suppress_damaged,
    )


def check_campaign_lists(config: CampaignConfig, s3: Callable[[], S3Access]) -> tuple[ListSource, ...]:
    """Find a campaign's lists, and what would keep them from being read, by the first bytes and columns of each.

    Raises:
        InputError: as `make_plan`, except for what is further down in a list.
    """
    sources = find_campaign_lists(config, s3)
    open_campaign_lists(config, sources, s3)
    check_opt_outs(config.suppress, s3)
    if config.exclude_results:
        check_texted(config.exclude_results, s3)
    return sources
