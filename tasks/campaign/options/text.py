"""The options that say where the texts come from, and what may be in them."""

from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.options.declaration import NotInForm, Options, Terminal
from globe_sms.tasks.campaign.options.every_campaign import LONGEST_MESSAGE


class TextOptions(Options, frozen=True):
    """Where the texts come from, and what may be in them."""

    message_column: Annotated[
        str | None,
        Terminal("The column that holds each recipient's own text, instead of --message."),
        NotInForm('"Message", as {name of the column}'),
    ] = None
    literal_placeholders: Annotated[
        bool,
        Field(
            title="Other systems' placeholders are text",
            description="Nothing is sent if the message has {{name}}, ((name)), %name% or the like, and the list has "
            "a column called name: people would see the placeholder. Switch this on to send it as text.",
        ),
        Terminal("Send {{name}}, *|name|*, ((name)) and the like as they are, even if they name a column."),
    ] = False
    keep_null_markers: Annotated[
        bool,
        Field(
            title="NULL and the like are values",
            description="Cells that say NULL, nan, None, #N/A or the like count as empty, so that nobody gets "
            '"Hi NULL". Switch this on to take them as they are.',
        ),
        Terminal("Take cells that say NULL, nan, None and the like as they are; otherwise they count as empty."),
    ] = False
    downgrade: Annotated[
        bool,
        Field(
            title="Plain characters",
            description="Replace curly quotes, long dashes, odd spaces and the ellipsis with plain ones, so that the "
            "text needs fewer message parts. The preview says what was replaced.",
        ),
        Terminal("Replace curly quotes, long dashes and odd spaces with plain ones, for fewer message parts."),
    ] = True
    max_characters: Annotated[
        int,
        Field(strict=True, ge=1, le=LONGEST_MESSAGE),
        Terminal("Rows with a longer text are invalid (message_too_long); at most 1,500."),
        NotInForm("the limit of 1,500 characters"),
    ] = LONGEST_MESSAGE
