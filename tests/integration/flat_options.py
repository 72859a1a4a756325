"""A campaign sent from a test, with its options side by side: as a flow run, or without a Prefect server."""

from typing import Any

from globe_sms import send
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.campaign.options.flow_parameters import group_options


def send_with(recipients: Any = None, /, *, return_state: bool = False, **options: Any) -> Any:
    """Call the flow `send-campaign`, with each option in its group."""
    given = options if recipients is None else {"recipients": recipients, **options}
    return send_campaign(**group_options(given), return_state=return_state)


def send_at_once(recipients: Any = None, /, **options: Any) -> Any:
    """Send it without a Prefect server: the same steps, in a fraction of the time."""
    return send(options.pop("recipients") if recipients is None else recipients, **options)
