"""The form of `track-delivery` in Prefect's UI: a title, an explanation and bounds for each parameter."""

from typing import Annotated

from globe_sms.flows.form.parameters import Account, AwsCredentials, TimeZone, field_of
from globe_sms.tasks.gateway.query_message import MOST_QUERIES_PER_SECOND

__all__ = [
    "Account",
    "AwsCredentials",
    "Campaign",
    "NoQuery",
    "QueriesPerSecond",
    "Receipts",
    "Results",
    "SettleAfter",
    "TimeZone",
    "Wait",
]

Campaign = Annotated[
    str,
    field_of(
        "Campaign ID",
        "The campaign whose messages are tracked: the name of its folder under the results. {date} and its like are "
        "filled in from the time that the run was scheduled for.",
        min_length=1,
    ),
]
Results = Annotated[
    str,
    field_of(
        "Results folder",
        "Where the campaign's folder is, as it was given to send-campaign: s3://bucket/prefix, or a directory on the "
        "worker.",
        min_length=1,
    ),
]
Receipts = Annotated[
    tuple[str, ...],
    field_of(
        "Delivery receipts",
        "Where Alibaba's delivery receipts are, one place a line: an s3:// object, a prefix that ends in a slash, a "
        "pattern, or a path on the worker; NDJSON or JSON arrays, also compressed. They settle unknown rows and spare "
        "queries.",
    ),
]
SettleAfter = Annotated[
    float,
    field_of(
        "Report missing receipts after, in hours",
        "Rows that have no receipt so many hours after the send are named in the report.",
        ge=0,
        le=24 * 365,
    ),
]
Wait = Annotated[
    str,
    field_of(
        "How long",
        "How long to go on asking for messages that are still on their way: 30m, 1h, 1h 30m. 0 asks once for each. It "
        "ends earlier when all have come to their end.",
        min_length=1,
    ),
]
NoQuery = Annotated[
    bool,
    field_of("Ask nothing", "Ask the gateway nothing, and only write into the results what is known already."),
]
QueriesPerSecond = Annotated[
    float,
    field_of(
        "Queries a second",
        f"How many queries the account may make in a second, over all trackings together; Alibaba's limit is "
        f"{MOST_QUERIES_PER_SECOND}.",
        gt=0,
        le=MOST_QUERIES_PER_SECOND,
    ),
]
