"""The options that say what the results have beside the campaign's own columns."""

from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import Options, Terminal, each_shaped


class ResultsTable(Options, frozen=True):
    """What the results have beside the campaign's own columns."""

    keep: Annotated[
        tuple[str, ...],
        Field(
            title="Columns to keep",
            description="Columns of the lists that the results have, too, such as customer_id, one a line; * is all of "
            "them. They come last, under their own names, or as list_status if the results have a status themselves.",
            json_schema_extra=each_shaped("the name of a column; it can't be blank", r"\S"),
        ),
        Terminal(
            "A column of the lists that the results have, too; repeat it for more, * is all of them. A name that the "
            "results have themselves gets list_ in front."
        ),
    ] = ()
