"""Reads recipient lists on S3 or disk into one lazy frame of (source, row, recipient).

    find_lists       expands URIs to lists, and inspects each: format, compression, delimiter, identity
    open_lists       finds the columns of each list, and reads workbooks
    rows_of          returns a polars LazyFrame of opened lists; reads nothing until it's collected
    read_lists       does both
    count_fields     returns how many fields each row of CSV lists has, blank lines included
    translate_errors wraps the collecting: every error becomes one clear line that names the list
    open_table       opens a list of numbers beside the recipient lists (opt-outs, own numbers)
    read_small_table reads a table that goes with the lists (prices, prefixes) as a whole
    split_format     splits the URI of such a list or table from the options after it
    list_files       returns which files a URI names now, with the identity of each
    check_unchanged  after the plan is written, makes sure that each list is still the one found

All values are text, so leading zeros and plus signs survive. Anything wrong with a list raises InputError; a guess
could text a stranger.
"""

from globe_sms.tasks.recipients.check_unchanged import check_unchanged
from globe_sms.tasks.recipients.field_counts import count_fields, short_rows_error
from globe_sms.tasks.recipients.file_formats import known_encoding
from globe_sms.tasks.recipients.find_lists import find_lists
from globe_sms.tasks.recipients.kept_columns import KEPT
from globe_sms.tasks.recipients.list_layout import OpenedList
from globe_sms.tasks.recipients.list_source import (
    Compression,
    EmptyListError,
    Format,
    ListReading,
    ListSource,
    PassedOver,
    refusal,
)
from globe_sms.tasks.recipients.read_errors import place_of_row, translate_errors
from globe_sms.tasks.recipients.read_lists import COUNTRY, HIDDEN, fault_in, kept_of, open_lists, read_lists, rows_of
from globe_sms.tasks.recipients.read_options import Hidden, ReadOptions
from globe_sms.tasks.recipients.several_numbers import first_numbers, holds_several
from globe_sms.tasks.recipients.small_table import NumbersTable, SmallTable, TableRow, open_table, read_small_table
from globe_sms.tasks.recipients.table_format import (
    OF_NAMED_COLUMNS,
    OF_NUMBERS,
    TableFormat,
    in_words_of_table,
    split_format,
)
from globe_sms.tasks.recipients.uri_expansion import list_files

__all__ = [
    "COUNTRY",
    "HIDDEN",
    "KEPT",
    "OF_NAMED_COLUMNS",
    "OF_NUMBERS",
    "Compression",
    "EmptyListError",
    "Format",
    "Hidden",
    "ListReading",
    "ListSource",
    "NumbersTable",
    "OpenedList",
    "PassedOver",
    "ReadOptions",
    "SmallTable",
    "TableFormat",
    "TableRow",
    "check_unchanged",
    "count_fields",
    "fault_in",
    "find_lists",
    "first_numbers",
    "holds_several",
    "in_words_of_table",
    "kept_of",
    "known_encoding",
    "list_files",
    "open_lists",
    "open_table",
    "place_of_row",
    "read_lists",
    "read_small_table",
    "refusal",
    "rows_of",
    "short_rows_error",
    "split_format",
    "translate_errors",
]
