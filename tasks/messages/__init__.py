"""The texts of a campaign: templates, the text of each row, and the parts that a network splits it into.

    Template     the parsed `--message` with its placeholders; `parse_template` reads it
    TextChoices  templates by variant or language, of which each row gets one
    Wording      a template, a column or choices, and how texts are cleaned; `add_texts` writes each row's text
    count_parts  the parts of a whole column of texts, packed as a network packs them

Neither templates nor values are ever executed: a placeholder is a column name and nothing else.
"""

from globe_sms.tasks.messages.foreign_placeholders import foreign_placeholder, placeholder_patterns
from globe_sms.tasks.messages.gsm7_alphabet import NOT_GSM, forcing_characters
from globe_sms.tasks.messages.message_parts import count_parts, parts_of
from globe_sms.tasks.messages.message_texts import NULL_MARKER, PREFIX, TEXT_COLUMNS, Wording, add_texts
from globe_sms.tasks.messages.template import Placeholder, Template, parse_template
from globe_sms.tasks.messages.text_choices import CHOICES, LANGUAGE, OTHERS, VARIANT, TextChoices

__all__ = [
    "CHOICES",
    "LANGUAGE",
    "NOT_GSM",
    "NULL_MARKER",
    "OTHERS",
    "PREFIX",
    "TEXT_COLUMNS",
    "VARIANT",
    "Placeholder",
    "Template",
    "TextChoices",
    "Wording",
    "add_texts",
    "count_parts",
    "forcing_characters",
    "foreign_placeholder",
    "parse_template",
    "parts_of",
    "placeholder_patterns",
]
