"""Which flow a deployment runs: `send-campaign`, or `track-delivery` if its entrypoint says so."""

from typing import Any

from prefect import Flow
from prefect.utilities.callables import parameter_schema

from globe_sms.deployments.prefect_yaml import DeploymentSpec
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.flows.track_delivery import track_delivery

AnyFlow = Flow[Any, Any]


def flow_of(spec: DeploymentSpec) -> AnyFlow:
    """Return the flow that the deployment's entrypoint names."""
    function = spec.entrypoint.replace(":", ".").rpartition(".")[2]
    return track_delivery if function == track_delivery.fn.__name__ else send_campaign


def schema_of(flow: AnyFlow) -> dict[str, Any]:
    """Return the JSON schema of the flow's parameters, which Prefect's form is built from."""
    return parameter_schema(flow).model_dump_for_openapi()
