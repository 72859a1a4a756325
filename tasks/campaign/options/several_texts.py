"""The options that say who gets which of several texts, and who gets none so that a campaign's effect is known."""

from typing import Annotated

from pydantic import Field

from globe_sms.tasks.campaign.experiment import NAME, PERCENTAGE, SHARE, TAG
from globe_sms.tasks.campaign.options.declaration import Options, Terminal, each_shaped, shaped


class SeveralTexts(Options, frozen=True):
    """Who gets which of several texts, and who gets none, to compare with."""

    variant: Annotated[
        tuple[str, ...],
        Field(
            title="Variants",
            description="Several texts to compare, instead of a message: one per item, such as A=We open at 9. Each "
            "number gets one of them, the same in every run of the campaign. For other shares than equal ones write "
            "A:70=... and B:30=... The results say who had which.",
            json_schema_extra=each_shaped(
                "a name, perhaps a share, and a text: A=Hello, A:70=Hello",
                rf"^\s*{NAME}\s*(:\s*{SHARE}\s*%?\s*)?=",
            ),
        ),
        Terminal(
            "A text to compare with others, like A='We open at 9.', instead of --message; repeat it for each. Shares "
            "are equal, or given like A:70=... and B:30=..."
        ),
    ] = ()
    holdout: Annotated[
        str | None,
        Field(
            title="Holdout",
            description="A share of the numbers that get no text, such as 5%, so that you can compare with them. They "
            "are chosen by chance, the same in every run of the campaign, and are not_sent (holdout). Empty: none.",
            json_schema_extra=shaped("a percentage such as 5%", rf"^\s*({PERCENTAGE}\s*%)?\s*$"),
        ),
        Terminal("Send nothing to this share of the numbers, like 5%, to compare with; they are not_sent (holdout)."),
    ] = None
    message_by_language: Annotated[
        tuple[str, ...],
        Field(
            title="Messages by language",
            description="A text for each language, one per item, such as de=Wir haben offen. or pt-BR=... A recipient "
            "with en-GB gets the text of en if there's none of en-GB. People with another language get the message "
            "above; without one they get none and are invalid.",
            json_schema_extra=each_shaped("a language and a text: de=Hallo", rf"^\s*{TAG}\s*="),
        ),
        Terminal(
            "The text of a language, like de='Wir haben offen.'; repeat it for each. en-GB gets the text of en. Other "
            "languages get --message, or none (missing_language)."
        ),
    ] = ()
    language_column: Annotated[
        str,
        Field(
            title="Column of languages",
            description="The column with each recipient's language, as a tag such as en or pt-BR. Only used with "
            "messages by language.",
        ),
        Terminal("The column with each recipient's language tag (en, pt-BR), for --message-by-language."),
    ] = "language"
