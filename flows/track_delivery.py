"""The flow `track-delivery`: ask what happened to a campaign's messages until each has a final status.

What must exist: a campaign that was sent (`send-campaign`), its results folder, and Alibaba Cloud credentials with
`dysms:QueryMessage` (an account block, or its default credential chain).
"""

from typing import Any

from prefect import flow

from globe_sms.flows.observers.current_observer import observe_run
from globe_sms.flows.option_signatures import form_parameters, takes
from globe_sms.flows.orchestration.deployed_run import check_lasting, in_place_of_nulls
from globe_sms.flows.orchestration.final_states import name_refusals, tracking_state
from globe_sms.flows.orchestration.prefect_executor import PrefectExecutor
from globe_sms.flows.orchestration.run_name import tracking_name
from globe_sms.flows.orchestration.run_tracking import run_tracking
from globe_sms.flows.orchestration.scheduled_start import scheduled_time
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.campaign.date_placeholders import fill
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome


@flow(name="track-delivery", flow_run_name=tracking_name, persist_result=False)
@takes(form_parameters(TrackingConfig))
@name_refusals
def track_delivery(**parameters: Any) -> TrackingOutcome:
    """Ask the gateway what happened to a campaign's messages, and write it into the results.

    Run it as often as you like: a message with a final status isn't asked about again. The parameters are the fields of
    `tasks.delivery.config.TrackingConfig`.

    Returns:
        The outcome, with `.deliveries`, `.counts` and `.summary()`.

    Raises:
        InputError: the input or the configuration is wrong.
        TrackingStoppedError: it stopped before its end; `.outcome` says how far it got.
    """
    given = in_place_of_nulls(parameters, this_flow_run())
    scheduled = scheduled_time(given["time_zone"])
    config = TrackingConfig.checked(**{**given, "campaign": fill(given["campaign"], scheduled)})
    check_lasting("Results folder", config.results, this_flow_run())
    with observe_run() as observer:
        outcome = run_tracking(config, PrefectExecutor(observer, this_flow_run()))
    return tracking_state(outcome)  # pyright: ignore[reportReturnType]  # Prefect unwraps a returned state's data
