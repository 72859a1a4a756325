"""Placeholders of other systems are found where they name a column, and nothing else is taken for one."""

import polars as pl
import pytest

from globe_sms.tasks.messages import foreign_placeholder, placeholder_patterns

COLUMNS = ("phone", "name", "First_Name", "code", "1")


@pytest.mark.parametrize(
    ("text", "found", "column"),
    [
        ("Hi {{name}}", "{{name}}", "name"),
        ("Hi {{ NAME }}!", "{{ NAME }}", "name"),
        ("Hi {{{name}}}", "{{{name}}}", "name"),
        ("Hi {{name|default:'you'}}", "{{name|default:'you'}}", "name"),
        ("Hi {{contact.first name}}", "{{contact.first name}}", "First_Name"),
        ("Hi {{#name}}", "{{#name}}", "name"),
        ("Hi {{1}}", "{{1}}", "1"),
        ("Hi *|NAME|*", "*|NAME|*", "name"),
        ("Hi *|FIRSTNAME|*", "*|FIRSTNAME|*", "First_Name"),
        ("Hi %name%", "%name%", "name"),
        ("Hi %%First-Name%%", "%%First-Name%%", "First_Name"),
        ("Hi %(name)s", "%(name)s", "name"),
        ("Hi ((name))", "((name))", "name"),
        ("Hi ${name}", "${name}", "name"),
        ("${name}, hi", "${name}", "name"),
        ("Hi $name.", "$name", "name"),
        ("Hi <%= name %>", "<%= name %>", "name"),
        ("Hi <%name%>", "<%name%>", "name"),
        ("Hi <<Name>>", "<<Name>>", "name"),
        ("Hi <name>", "<name>", "name"),
        ("Hi [[name]]", "[[name]]", "name"),
        ("Hi [Name]", "[Name]", "name"),
        ("Hi #name#", "#name#", "name"),
        ("Hi 【name】", "【name】", "name"),
    ],
)
def test_what_names_a_column_in_another_systems_style_is_found(text: str, found: str, column: str) -> None:
    """Whatever its case, its spaces and its filters."""
    assert foreign_placeholder(text, COLUMNS) == (found, column)
    assert any(pl.select(pl.lit(text).str.contains(pattern)).item() for pattern in placeholder_patterns(COLUMNS))


@pytest.mark.parametrize(
    "text",
    [
        "Hi {name}, your code is {code|unknown}",
        "You owe US${code}, or S${code}",
        "Order #{code} (name: {name}) [{code}] <{name}>",
        "{{braces}} and {{ more }}",
        "Sale: 50% name brands, 20% off",
        "The name (name) is name: name",
        "[1] and %1% and $1 for the code",
        "Set names <names> ((namesake)) %surname%",
        "",
    ],
)
def test_our_own_syntax_and_common_texts_are_none(text: str) -> None:
    assert foreign_placeholder(text, COLUMNS) is None
    assert not any(pl.select(pl.lit(text).str.contains(pattern)).item() for pattern in placeholder_patterns(COLUMNS))


def test_in_a_text_that_is_no_template_single_braces_are_one() -> None:
    assert foreign_placeholder("Hi {Name}", COLUMNS, braces=True) == ("{Name}", "name")
    assert foreign_placeholder("Hi {you}", COLUMNS, braces=True) is None


def test_the_last_of_many_columns_is_looked_for() -> None:
    """A list may have hundreds, some of them without a letter or endless."""
    columns = ["", " - ", "x" * 5_000, *(f"column {number}" for number in range(250)), "name"]
    assert foreign_placeholder("Hi {{name}}", columns) == ("{{name}}", "name")
    assert foreign_placeholder("Hi {{column 249}}", columns) == ("{{column 249}}", "column 249")
