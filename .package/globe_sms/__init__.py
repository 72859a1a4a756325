"""Send one text message to a million people, once each: a Prefect pipeline on Alibaba Cloud's API.

    from globe_sms import send, send_campaign

`send` sends a campaign from a notebook or a program, without a Prefect server or recorded on one; `send_campaign` is
the flow. Both are imported when they are first used: importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from globe_sms.flows.send_campaign import send_campaign
    from globe_sms.flows.send_from_python import send

__all__ = ["send", "send_campaign"]

_HOMES: Final = {"send": "globe_sms.flows.send_from_python", "send_campaign": "globe_sms.flows.send_campaign"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
