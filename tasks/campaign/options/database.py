"""The options that ask a database for recipients."""

from typing import Annotated, Final

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import Options, Terminal, shaped

CONNECTION_NAME: Final = r"[A-Za-z_][A-Za-z0-9_-]*"
_WITHOUT_NUMBERS: Final = r"^(?![\s\S]*\+\d{7})"


class DatabaseQuery(Options, frozen=True):
    """Recipients from a database: the rows of a query, with the columns that a list has."""

    query: Annotated[
        str | None,
        Field(
            title="Query",
            description="A query whose rows are recipients: select phone, name from members where opted_in. It's "
            "asked whenever the campaign is planned, and its rows are kept in the campaign's folder. Prefect records "
            "it, so write no phone numbers in it; a query file may have some.",
            json_schema_extra=shaped("a query without phone numbers; a query file may have some", _WITHOUT_NUMBERS),
        ),
        Terminal('A query whose rows are recipients: "select phone, name from members"; needs --connection.'),
    ] = None
    query_file: Annotated[
        str | None,
        Field(
            title="Query file",
            description="A text file with the query instead: s3://bucket/members.sql, or a path on the worker.",
        ),
        Terminal("A file with the query instead: a path, or an S3 object."),
    ] = None
    connection: Annotated[
        str | None,
        Field(
            title="Connection",
            description="Where the query is asked, by name: a Secret block with the database's URI, a SQLAlchemy "
            "block, or an environment variable of the worker that has the URI. Never the URI itself.",
            json_schema_extra=shaped(
                "the name of a block or variable, never the database's URI", rf"^({CONNECTION_NAME})?$"
            ),
        ),
        Terminal(
            "Where it's asked: the name of an environment variable with the database's URI, or of a Prefect block "
            "(Secret, SQLAlchemy)."
        ),
    ] = None
