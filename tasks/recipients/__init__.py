"""Reads recipient lists on S3 or disk into one lazy frame of (source, row, recipient).

    find_lists       expands URIs to lists, and inspects each: format, compression, delimiter, identity
    read_lists       returns a polars LazyFrame of the lists; reads nothing until it's collected
    translate_errors wraps the collecting: every error becomes one clear line that names the list
    open_table       returns the rows of small lists of numbers (opt-outs, own numbers), with errors translated
    read_small_table reads a table that goes with the lists (prices, prefixes) as a whole
    check_unchanged  after the plan is written, makes sure that each list is still the one found

All values are text, so leading zeros and plus signs survive. Anything wrong with a list raises InputError; a guess
could text a stranger.
"""

from globe_sms.tasks.recipients.check_unchanged import check_unchanged
from globe_sms.tasks.recipients.file_formats import known_encoding
from globe_sms.tasks.recipients.find_lists import find_lists
from globe_sms.tasks.recipients.list_source import Compression, EmptyListError, Format, ListSource, refusal
from globe_sms.tasks.recipients.read_errors import translate_errors
from globe_sms.tasks.recipients.read_lists import fault_in, read_lists
from globe_sms.tasks.recipients.small_table import SmallTable, TableRow, open_table, read_small_table

__all__ = [
    "Compression",
    "EmptyListError",
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
