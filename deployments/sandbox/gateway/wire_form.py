"""Decodes and encodes names and values in a query, a form body, and the canonical query of a signature."""

import binascii
from urllib.parse import quote

from globe_sms.deployments.sandbox.gateway.refusals import RefusedError, gateway_refusal

_BARE = bytes(code for code in range(0x21, 0x7F) if code not in b"=&#")


def decode(encoded: bytes) -> str:
    """Decode one form-encoded name or value; `+` is a space.

    Raises:
        RefusedError: a broken escape, an unescaped reserved byte, or bytes that aren't UTF-8.
    """
    # Quoted-printable is the same encoding with another escape character, and the standard library decodes it in C: at
    # 50 calls a second of 1,000 texts each, urllib's decoder alone would use a quarter of a core. Invalid escapes stay
    # unchanged, so the length reveals them.
    raw = binascii.a2b_qp(encoded.replace(b"+", b" ").replace(b"%", b"="))
    if encoded.translate(None, _BARE) or len(raw) != len(encoded) - 2 * encoded.count(b"%"):
        raise RefusedError(gateway_refusal("InvalidParameter", "A parameter is not form-encoded."))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError(gateway_refusal("InvalidParameter", "A parameter is not UTF-8.")) from None


def pairs(encoded: bytes) -> dict[str, str]:
    """Decode a query string or a form body to its parameters.

    Raises:
        RefusedError: a pair without `=`, a repeated name, or a broken encoding.
    """
    parameters: dict[str, str] = {}
    for pair in encoded.split(b"&") if encoded else ():
        name, separator, value = pair.partition(b"=")
        key = decode(name)
        if not separator or not key or key in parameters:
            raise RefusedError(gateway_refusal("InvalidParameter", "A parameter stands twice or has no value."))
        parameters[key] = decode(value)
    return parameters


def canonical_query(parameters: dict[str, str]) -> str:
    """Encode parameters as V3 signs them: sorted by name, RFC 3986, a space as `%20`."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items())
    )
