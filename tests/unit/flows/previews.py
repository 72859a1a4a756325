"""A preview for tests that only need one."""

from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.reports.preview import Preview

PREVIEW = Preview(
    campaign="Camp_1",
    lists=("a.csv",),
    type="NOTIFY",
    senders=Senders(),
    dry_run=False,
    rows=0,
    groups=(),
    destinations=(),
    refused=(),
    samples=(),
    numbers=0,
    calls=0,
    resent_chunks=0,
    calls_per_second=1.0,
)
