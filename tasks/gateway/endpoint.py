"""The gateway's endpoint: https anywhere, http only on this machine."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from globe_sms.tasks.vocabulary.errors import InputError

ENDPOINT_VARIABLE: Final = "GLOBE_SMS_ENDPOINT"
DEFAULT_ENDPOINT: Final = "https://dysmsapi.ap-southeast-1.aliyuncs.com"

_EXAMPLE: Final = f"write it like {DEFAULT_ENDPOINT}"
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Scheme, host and port of the gateway, checked.

    Attributes:
        scheme: `https`, or `http` if the host is this machine.
        host: a name or address in lower case, an IPv6 address without brackets.
        port: None for the scheme's default.

    Raises:
        InputError: http to another machine, or an invalid host or port.
    """

    scheme: str
    host: str
    port: int | None = None

    def __post_init__(self) -> None:
        if not (_is_address(self.host) or _HOST_NAME.fullmatch(self.host)):
            raise InputError(f"the gateway's endpoint has no valid host name or address: {_EXAMPLE}")
        if self.scheme not in {"http", "https"}:
            raise InputError(f"the gateway's endpoint must start with https://: {_EXAMPLE}")
        if self.scheme == "http" and not self.is_loopback:
            raise InputError(
                f"the gateway's endpoint http://{self.host} would send numbers and texts unencrypted: use https "
                f"(http works only for 127.0.0.0/8, ::1 and localhost)"
            )
        if self.port == 0:
            raise InputError(f"the gateway's endpoint can't have port 0: {_EXAMPLE}")

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL of scheme, host and optional port; one trailing slash is ignored.

        Raises:
            InputError: the URL has other parts. The message never repeats a user name, password, path or query.
        """
        text = url.strip()
        if not text.isascii() or any(not character.isprintable() or character in " \\" for character in text):
            raise InputError(f"the gateway's endpoint contains a space or an invalid character: {_EXAMPLE}")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise InputError(f"the gateway's endpoint isn't a URL: {_EXAMPLE}") from None
        if not parts.scheme or not host:
            raise InputError(f"the gateway's endpoint needs a scheme and a host: {_EXAMPLE}")
        if "@" in parts.netloc:
            raise InputError("the gateway's endpoint can't contain a user name or password: remove it")
        if parts.path not in {"", "/"} or "?" in text or "#" in text:
            raise InputError(f"the gateway's endpoint can't have a path, query or fragment: {_EXAMPLE}")
        return cls(parts.scheme, host, port)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read `GLOBE_SMS_ENDPOINT`; if it's unset or empty, use Alibaba's endpoint in Singapore.

        Raises:
            InputError: as `parse`, with the variable's name.
        """
        try:
            return cls.parse(environ.get(ENDPOINT_VARIABLE, "").strip() or DEFAULT_ENDPOINT)
        except InputError as error:
            raise InputError(f"{ENDPOINT_VARIABLE}: {error}") from None

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine: an address in 127.0.0.0/8, ::1, or localhost."""
        return self.host == "localhost" or (_is_address(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def url(self) -> str:
        """The URL for calls."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}/"

    def __str__(self) -> str:
        return self.url.removesuffix("/")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host
