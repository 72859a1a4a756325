"""Names and values on the wire."""

from urllib.parse import quote_plus, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globe_sms.deployments.sandbox.gateway.refusals import RefusedError
from globe_sms.deployments.sandbox.gateway.wire_form import canonical_query, decode, pairs


@settings(deadline=None)
@given(st.text())
def test_a_text_encoded_by_the_standard_library_is_decoded(text: str) -> None:
    """Our decoder is the inverse of urllib's encoder."""
    assert decode(quote_plus(text).encode()) == text


@settings(deadline=None)
@given(st.text(alphabet="%+0aFxX~*é =&#\n", max_size=12))
def test_decoding_agrees_with_the_standard_library(text: str) -> None:
    """Our decoder agrees with urllib's or refuses."""
    try:
        decoded = decode(text.encode())
    except RefusedError:
        return
    assert decoded == unquote_plus(text, errors="strict")


@pytest.mark.parametrize(
    "encoded", [b"%", b"%4", b"%zz", b"%%41", b"a b", b"a=b", "é".encode(), b"%ff", b"%c3", b"a\nb", b"=\n", b"a#b"]
)
def test_a_broken_encoding_is_refused(encoded: bytes) -> None:
    """A lenient decoder would hide a client's mistake."""
    with pytest.raises(RefusedError, match="InvalidParameter"):
        decode(encoded)


@pytest.mark.parametrize("encoded", [b"a", b"a=1&a=2", b"a=1&", b"=1", b"&a=1"])
def test_a_broken_list_of_parameters_is_refused(encoded: bytes) -> None:
    """Repeated names, names without `=`, empty names."""
    with pytest.raises(RefusedError, match="InvalidParameter"):
        pairs(encoded)


def test_the_canonical_query_is_sorted_and_rfc_3986() -> None:
    """A space becomes %20, a star is escaped, a tilde isn't."""
    assert canonical_query({"b": "a b*~", "To": "é"}) == "To=%C3%A9&b=a%20b%2A~"
