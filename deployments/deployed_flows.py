"""Which flow a deployment runs, and the form that starts it."""

from typing import Any, Final

from prefect import Flow
from prefect.utilities.callables import parameter_schema

from globe_sms.deployments.prefect_yaml import DeploymentSpec
from globe_sms.flows.check_account import check_account
from globe_sms.flows.explain_number import explain_number
from globe_sms.flows.resend_unknown import resend_unknown
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.flows.track_delivery import track_delivery
from globe_sms.flows.try_campaign import try_campaign
from globe_sms.tasks.campaign.options.timing import Timing
from globe_sms.tasks.vocabulary.errors import InputError

AnyFlow = Flow[Any, Any]

_FLOWS: Final[tuple[AnyFlow, ...]] = (
    send_campaign,
    track_delivery,
    try_campaign,
    resend_unknown,
    explain_number,
    check_account,
)
_REQUIRED_OF_A_DEPLOYMENT: Final = ("recipients", "campaign", "message")
_OF_A_SCHEDULE: Final = "latest_start_minutes"


def flow_of(spec: DeploymentSpec) -> AnyFlow:
    """Return the flow that the deployment's entrypoint names.

    Raises:
        InputError: it names none of this package's flows.
    """
    function = spec.entrypoint.replace(":", ".").rpartition(".")[2]
    flows = {flow.fn.__name__: flow for flow in _FLOWS}
    if function not in flows:
        raise InputError(f"deployment {spec.name!r}: {spec.entrypoint!r} isn't a flow of globe-sms")
    return flows[function]


def schema_of(flow: AnyFlow, *, scheduled: bool = False) -> dict[str, Any]:
    """Return the JSON schema of the flow's parameters, which Prefect's form is built from.

    A terminal may leave out the campaign's ID, the lists where a query finds the recipients, and the message where a
    column has it; the form asks for all of them. Only `scheduled` deployments show the latest start.
    """
    schema = parameter_schema(flow).model_dump_for_openapi()
    if flow is send_campaign:
        fields = schema["properties"]
        for name in _REQUIRED_OF_A_DEPLOYMENT:
            del fields[name]["default"]
        fields["campaign"]["minLength"] = 1
        if scheduled:
            timing = schema["definitions"][Timing.__name__]
            latest = timing["patternProperties"].pop(f"^{_OF_A_SCHEDULE}$")
            timing["properties"][_OF_A_SCHEDULE] = {**latest, "position": len(timing["properties"])}
        schema["required"] = [name for name in fields if name in {*schema["required"], *_REQUIRED_OF_A_DEPLOYMENT}]
    return schema
