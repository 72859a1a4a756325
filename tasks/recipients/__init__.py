"""Recipient lists on S3 or on disk -> one lazy frame of (source, row, recipient).

    find_lists       URIs -> the lists behind them, each looked at: format, compression, delimiter, identity
    read_lists       lists -> a polars LazyFrame; nothing is read before it is collected
    translate_errors wraps the collecting: whatever goes wrong is one clear line that names the list
    open_table       the rows of small lists of numbers (opt-outs, own numbers), errors translated
    read_small_table a table that stands beside the lists (prices, prefixes), whole
    check_unchanged  after the plan is written: each list is still the one that was found

Everything is text: leading zeros and plus signs live. Whatever is wrong with a list raises InputError; nothing is
guessed that could text a stranger.
"""

from globe_sms.tasks.recipients.file_formats import known_encoding
from globe_sms.tasks.recipients.find_lists import find_lists
from globe_sms.tasks.recipients.list_source import Compression, Format, ListSource, refusal
from globe_sms.tasks.recipients.read_errors import translate_errors
from globe_sms.tasks.recipients.read_lists import fault_in, read_lists
from globe_sms.tasks.recipients.small_table import SmallTable, TableRow, open_table, read_small_table
from globe_sms.tasks.recipients.unchanged_check import check_unchanged

__all__ = [
    "Compression",
    "Format",
    "ListSource",
    "SmallTable",
    "TableRow",
    "check_unchanged",
    "fault_in",
    "find_lists",
    "known_encoding",
    "open_table",
    "read_lists",
    "read_small_table",
    "refusal",
    "translate_errors",
]
