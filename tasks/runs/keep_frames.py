"""Keeps the frames that a campaign is sent to in the campaign's folder, where each is a list like any other."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from globe_sms.tasks.campaign.campaign_json import LISTS
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.planning.campaign_lists import find_campaign_lists
from globe_sms.tasks.recipients.frames import Frame, write_frame
from globe_sms.tasks.runs.run_resources import open_resources
from globe_sms.tasks.vocabulary.redact_errors import redact_errors


@redact_errors()
def keep_frames(
    config: CampaignConfig, recipients: Sequence[str | Frame], environ: Mapping[str, str] = os.environ
) -> CampaignConfig:
    """Write the frames among the recipients to the campaign's folder, and return the configuration that names them.

    A frame's file is named after its content and written once, so the same frame is the same list. Without a campaign
    id, the id is made of the settings and the content of all lists.

    Args:
        config: The campaign's options; its recipients don't count.
        recipients: URIs and frames, in order.
        environ: The environment.

    Raises:
        InputError: a frame or a list can't be read, or the results folder can't be used.
        StoreError: a frame couldn't be written.
    """
    if all(isinstance(each, str) for each in recipients):
        return config
    with tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch:
        files = [None if isinstance(each, str) else write_frame(each, Path(scratch)) for each in recipients]
        named = tuple(
            each if isinstance(each, str) else str(file and file.name)
            for each, file in zip(recipients, files, strict=True)
        )
        resources = open_resources(
            config.account, config.aws_credentials, config.results, environ, calls_gateway=not config.dry_run
        )
        uris = tuple(each for each in recipients if isinstance(each, str))
        campaign = config.campaign
        if campaign is None:
            listed = config.model_copy(update={"recipients": uris})
            sources = find_campaign_lists(listed, resources.s3) if uris else ()
            untested = config.model_copy(update={"recipients": named, "test_to": ()})
            campaign = untested.campaign_for(tuple(f"{source.uri} {source.identity}" for source in sources))
        folder = resources.store.within(campaign)
        for file in files:
            if file is not None:
                folder.put_file_if_absent(f"{LISTS}{file.name}", file)
    kept = tuple(
        name if file is None else f"{folder.uri}/{LISTS}{name}" for name, file in zip(named, files, strict=True)
    )
    return config.model_copy(update={"campaign": campaign, "recipients": kept})
