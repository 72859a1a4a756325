"""The ten groups of options, as the form and the help show them."""

from dataclasses import dataclass
from typing import Final

from globe_sms.tasks.campaign.options.account_and_rate import AccountAndRate
from globe_sms.tasks.campaign.options.database import DatabaseQuery
from globe_sms.tasks.campaign.options.declaration import Options
from globe_sms.tasks.campaign.options.left_out import LeftOut
from globe_sms.tasks.campaign.options.limits import Limits
from globe_sms.tasks.campaign.options.list_format import ListFormat
from globe_sms.tasks.campaign.options.number_reading import NumberReading
from globe_sms.tasks.campaign.options.results_table import ResultsTable
from globe_sms.tasks.campaign.options.several_texts import SeveralTexts
from globe_sms.tasks.campaign.options.text import TextOptions
from globe_sms.tasks.campaign.options.timing import Timing


@dataclass(frozen=True, slots=True)
class Group:
    """A group of options: the flow's parameter `name`, and the heading that people see."""

    name: str
    heading: str
    options: type[Options]


GROUPS: Final = (
    Group("list_format", "The list", ListFormat),
    Group("database", "A query of a database", DatabaseQuery),
    Group("number_reading", "The numbers", NumberReading),
    Group("text", "The text", TextOptions),
    Group("several_texts", "Variants and languages", SeveralTexts),
    Group("limits", "Tests and limits", Limits),
    Group("left_out", "Who is left out", LeftOut),
    Group("account_and_rate", "Account and rate", AccountAndRate),
    Group("timing", "Timing", Timing),
    Group("results_table", "The results", ResultsTable),
)
