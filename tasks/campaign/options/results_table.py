"""The options that say what the results have beside the campaign's own columns, and in which table they are."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import Options, Terminal, each_shaped, shaped


class PublishNumbers(StrEnum):
    """What a shared table says of phone numbers."""

    FULL = "full"
    MASKED = "masked"
    HASHED = "hashed"
    NONE = "none"


class ResultsTable(Options, frozen=True):
    """What the results have beside the campaign's own columns, and in which table of all campaigns they are."""

    keep: Annotated[
        tuple[str, ...],
        Field(
            title="Columns to keep",
            description="Columns of the lists that the results have, too, such as customer_id, one per item; * is all "
            "of them. They come last, under their own names, or as list_status if the results have a status, too.",
            json_schema_extra=each_shaped("the name of a column; it can't be blank", r"\S"),
        ),
        Terminal(
            "A column of the lists that the results have, too; repeat it for more, * is all of them. A name that the "
            "results have themselves gets list_ in front."
        ),
    ] = ()
    publish: Annotated[
        str | None,
        Field(
            title="Publish to",
            description="Where a table is that all campaigns share: s3://lake/sms, or an absolute path. Each run that "
            "has sent writes the campaign's results into it, and so does tracking: "
            "campaign=.../date=.../part.parquet. Empty: no table.",
            json_schema_extra=shaped("s3://bucket/prefix, or an absolute path", r"^(|s3[an]?://[^/\s].*|[/~].*)$"),
        ),
        Terminal(
            "Write the results into a table that all campaigns share, like s3://lake/sms, as campaign=.../date=.../"
            "part.parquet; track keeps it up to date."
        ),
    ] = None
    publish_numbers: Annotated[
        PublishNumbers,
        Field(
            title="Numbers in the shared table",
            description="What the shared table says of phone numbers. hashed: a keyed hash, the same in all campaigns "
            "of the results folder. masked: country code and last four digits. full: the whole number. none: nothing.",
        ),
        Terminal(
            "What the table says of numbers: hashed (the same in all campaigns of --results), masked, full or none."
        ),
    ] = PublishNumbers.HASHED
