"""Finds placeholders of other systems in a text, such as `{{name}}` or `*|NAME|*`, which would go out as they are.

Only the names of the list's columns count. Our own placeholders, `{name}`, are `tasks.messages.template`'s.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

_MOST_AT_ONCE: Final = 200  # columns in one pattern
_LONGEST_NAME: Final = 60
# {{x}} {{{x}}} Mustache, Liquid, Jinja; *|x|* Mailchimp; %%x%% Salesforce; ((x)) GOV.UK Notify; ${x} JavaScript, Java;
# <%= x %> ERB; <<x>> and [[x]] mail merges; %(x)s Python; wide braces. US${x} is a price in dollars, in our own syntax.
_OPENINGS: Final = r"(?:\{\{+|\*\||%%|%\(|\(\(|<%=?|<<|\[\[|\uff5b+|【|(?:^|\W)\$\{)\s*[#/^&!~=-]?\s*(?:\w{1,40}\.)*"
_CLOSINGS: Final = r"\s*(?:[|:?][^{}\[\]()<>*]{0,100})?(?:\}+|\|\*|%%|\)s|\)\)|%>|>>|\]\]|\uff5d|】)"
_WORDS: Final = re.compile(r"[^\W_]", re.UNICODE)
_BETWEEN: Final = r"[\s_.-]{0,2}"


def foreign_placeholder(text: str, columns: Iterable[str], *, braces: bool = False) -> tuple[str, str] | None:
    """Return the first placeholder of another system that names a column, and that column; None without one.

    Case, spaces, dashes and underscores don't matter in names. With `braces` a `{name}` is one too: for texts that
    aren't templates of ours.
    """
    known = tuple(columns)
    for pattern in placeholder_patterns(known, braces=braces):
        found = re.search(pattern, text)
        if found is not None:
            named = [each for each in known if _name(each) and re.search(_name(each), found[0], re.IGNORECASE)]
            return found[0].strip(), max(named, key=len)
    return None


def placeholder_patterns(columns: Iterable[str], *, braces: bool = False) -> Iterator[str]:
    """Yield regular expressions, for Python and polars alike, that find what `foreign_placeholder` finds."""
    usable = iter([column for column in columns if len(column) <= _LONGEST_NAME and _name(column)])
    while some := list(islice(usable, _MOST_AT_ONCE)):
        names = "|".join(map(_name, some))
        ways = [rf"{_OPENINGS}(?:{names}){_CLOSINGS}"]
        if braces:
            ways.append(rf"\{{\s*(?:{names})\s*\}}")
        # One mark on each side is too common around a number: [1], %1%.
        if words := "|".join(_name(column) for column in some if not column.strip().isdecimal()):
            ways += [rf"\[\s*(?:{words})\s*\]", rf"<\s*(?:{words})\s*>", rf"%(?:{words})%", rf"#(?:{words})#"]
            ways.append(rf"(?:^|\W)\$(?:{words})\b")
        yield f"(?i)(?:{'|'.join(ways)})"


def _name(column: str) -> str:
    """Return a pattern of a column's name, whatever is between its letters and digits; empty if it has none."""
    return _BETWEEN.join(re.escape(character) for character in _WORDS.findall(column))
