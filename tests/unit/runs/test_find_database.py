"""`--connection NAME`: an environment variable, a Secret block, or a SQLAlchemy block."""

from collections.abc import Mapping
from typing import Any

import pytest

from globe_sms.tasks.runs.find_database import find_database
from globe_sms.tasks.vocabulary.errors import InputError

URI = "postgresql://crm:s3cret@h/members"


def find(name: str, environ: Mapping[str, str], blocks: Mapping[str, Any] | None = None) -> str:
    found = find_database(
        name, environ, lambda slug, name: (blocks or {}).get(f"{slug}/{name}"), lambda: blocks is not None
    )
    assert found.name == name
    assert "s3cret" not in repr(found)
    return found.uri


def test_a_variable_goes_before_a_block() -> None:
    blocks = {"secret/crm": {"value": URI}}
    assert find("crm", {"crm": "sqlite:///a.db"}, blocks) == "sqlite:///a.db"
    assert find("crm", {"crm": " "}, blocks) == URI
    assert find("CRM", {"CRM": URI}) == URI


@pytest.mark.parametrize(
    ("info", "uri"),
    [
        (URI, URI),
        ({"url": URI}, URI),
        (
            {
                "driver": "postgresql+psycopg2",
                "username": "crm",
                "password": "p@s/s",
                "host": "h",
                "port": 5433,
                "database": "members",
                "query": {"sslmode": "require"},
            },
            "postgresql+psycopg2://crm:p%40s%2Fs@h:5433/members?sslmode=require",
        ),
        ({"driver": "sqlite", "database": "/srv/members.db"}, "sqlite:////srv/members.db"),
    ],
)
def test_a_block_of_sqlalchemy_has_its_uri_in_parts(info: Any, uri: str) -> None:
    assert find("crm", {}, {"sqlalchemy-connector/crm": {"connection_info": info}}) == uri


@pytest.mark.parametrize(
    ("blocks", "says"),
    [
        (None, "no Prefect server is set .* export crm="),
        ({}, "create a Secret block"),
        ({"secret/crm": {"value": {"password": "s3cret"}}}, "has no URI"),
        ({"sqlalchemy-connector/crm": {"connection_info": {"password": "s3cret"}}}, "has no URI"),
    ],
)
def test_a_connection_that_is_nowhere_is_refused_by_name(blocks: Mapping[str, Any] | None, says: str) -> None:
    with pytest.raises(InputError, match=f"^--connection 'crm': .*{says}") as caught:
        find("crm", {}, blocks)
    assert "s3cret" not in str(caught.value)
