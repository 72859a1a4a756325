"""Endpoints: numbers and texts never travel unencrypted to another machine."""

import pytest

from globe_sms.tasks.gateway import Endpoint
from globe_sms.tasks.vocabulary.errors import InputError


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://dysmsapi.aliyuncs.com", Endpoint("https", "dysmsapi.aliyuncs.com")),
        ("https://dysmsapi.aliyuncs.com/", Endpoint("https", "dysmsapi.aliyuncs.com")),
        (" HTTPS://Dysmsapi.Aliyuncs.com:8443\n", Endpoint("https", "dysmsapi.aliyuncs.com", 8443)),
        ("https://10.1.2.3", Endpoint("https", "10.1.2.3")),
        ("http://127.0.0.1:8000", Endpoint("http", "127.0.0.1", 8000)),
        ("http://127.9.9.9:8000", Endpoint("http", "127.9.9.9", 8000)),
        ("http://localhost:8000", Endpoint("http", "localhost", 8000)),
        ("http://[::1]:8000", Endpoint("http", "::1", 8000)),
    ],
)
def test_an_endpoint_is_read_from_a_url(url: str, endpoint: Endpoint) -> None:
    """Https for any host, http for this machine."""
    assert Endpoint.parse(url) == endpoint
    assert Endpoint.parse(endpoint.url) == endpoint


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://dysmsapi.aliyuncs.com", "use https"),
        ("http://10.0.0.1", "use https"),
        ("http://0.0.0.0", "use https"),
        ("http://127.0.0.1.example.com", "use https"),
        ("http://localhost.example.com", "use https"),
        ("http://127.1", "use https"),
        ("http://[::2]", "use https"),
        ("http://[::ffff:10.0.0.1]", "use https"),
        ("ftp://example.com", "must start with https"),
        ("dysmsapi.aliyuncs.com", "scheme and a host"),
        ("https://", "scheme and a host"),
        ("", "scheme and a host"),
        ("https://example.com/path", "path, query or fragment"),
        ("https://example.com?", "path, query or fragment"),
        ("https://example.com/?token=hidden", "path, query or fragment"),
        ("https://example.com#", "path, query or fragment"),
        ("https://user:hidden@example.com", "user name or password"),
        ("https://exa mple.com", "a space or an invalid character"),
        ("https://example.com\t.evil.com", "a space or an invalid character"),
        ("https://例え.jp", "a space or an invalid character"),
        ("https://example.com:0", "port 0"),
        ("https://example.com:99999", "isn't a URL"),
        ("https://example.com:abc", "isn't a URL"),
        ("https://exa_mple..com", "no valid host"),
        ("https://[fe80::1%25eth0]", "no valid host"),
        (f"https://{'a' * 64}.com", "no valid host"),
    ],
)
def test_any_other_endpoint_is_refused(url: str, words: str) -> None:
    """With one line that doesn't repeat secrets."""
    with pytest.raises(InputError, match=words) as caught:
        Endpoint.parse(url)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_endpoint_cannot_be_made_unencrypted_without_parsing() -> None:
    """The type enforces the rule, not only the parser."""
    with pytest.raises(InputError, match="use https"):
        Endpoint("http", "example.com")


@pytest.mark.parametrize("environ", [{}, {"GLOBE_SMS_ENDPOINT": ""}, {"GLOBE_SMS_ENDPOINT": " "}])
def test_the_default_is_singapore(environ: dict[str, str]) -> None:
    """Unset and empty mean the same."""
    assert str(Endpoint.from_environment(environ)) == "https://dysmsapi.ap-southeast-1.aliyuncs.com"


def test_the_environment_names_another_endpoint() -> None:
    """For instance the sandbox's."""
    assert Endpoint.from_environment({"GLOBE_SMS_ENDPOINT": "http://127.0.0.1:9"}).port == 9


def test_an_error_names_the_variable() -> None:
    """The operator sees where to look."""
    with pytest.raises(InputError, match=r"^GLOBE_SMS_ENDPOINT: "):
        Endpoint.from_environment({"GLOBE_SMS_ENDPOINT": "http://example.com"})
