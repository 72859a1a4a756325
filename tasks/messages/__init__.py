"""The texts of a campaign: templates, what they become for each row, and the parts that a network cuts them into.

    Template     what `--message` says, with its placeholders; `parse_template` reads it
    Wording      a template or a column, and what is done to the texts; `add_texts` writes the text of each row
    count_parts  the parts of a whole column of texts, packed as a network packs them

Nothing in a template or a value is ever executed or looked up: a placeholder is a column's name and nothing else.
"""

from globe_sms.tasks.messages.gsm7_alphabet import NOT_GSM, forcing_characters
from globe_sms.tasks.messages.message_parts import count_parts, parts_of
from globe_sms.tasks.messages.message_texts import PREFIX, TEXT_COLUMNS, Wording, add_texts
from globe_sms.tasks.messages.template import Placeholder, Template, parse_template

__all__ = [
    "NOT_GSM",
    "PREFIX",
    "TEXT_COLUMNS",
    "Placeholder",
    "Template",
    "Wording",
    "add_texts",
    "count_parts",
    "forcing_characters",
    "parse_template",
    "parts_of",
]
