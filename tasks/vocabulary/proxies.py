"""A proxy in the environment is for other machines: it never reaches this one's loopback."""

from collections.abc import Mapping, MutableMapping
from typing import Final

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")
_EXCEPT: Final = ("NO_PROXY", "no_proxy")


def proxy_is_set(environ: Mapping[str, str]) -> bool:
    """Whether HTTP clients use a proxy by the environment."""
    return any(environ.get(name) or environ.get(name.upper()) for name in _PROXIES)


def without_loopback(environ: Mapping[str, str]) -> dict[str, str]:
    """Return NO_PROXY, in capitals and small letters, with loopback added to what either of them says."""
    said = [host.strip() for name in _EXCEPT for host in environ.get(name, "").split(",")]
    hosts = ",".join(dict.fromkeys(host for host in (*said, *LOOPBACK) if host))
    return dict.fromkeys(_EXCEPT, "*" if "*" in said else hosts)


def keep_off_loopback(environ: MutableMapping[str, str]) -> None:
    """Exempt loopback where a proxy is set: Prefect's temporary server and the sandbox listen there."""
    if proxy_is_set(environ):
        environ.update(without_loopback(environ))


def advice_on_proxy(environ: Mapping[str, str]) -> str:
    """Return what else to check where a proxy is set, to be added to a sentence; empty without one."""
    return ", and the proxy (NO_PROXY names hosts that are reached without it)" if proxy_is_set(environ) else ""
