"""The flow `explain-number`: everything that happened to one phone number, in all campaigns of a results folder.

The number comes from a Secret block: Prefect stores the parameters of a run in plain text.
"""

from functools import cache
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.blocks.system import Secret
from prefect.states import Completed
from pydantic import Field

from globe_sms.flows.observers.publish_page import publish_page
from globe_sms.flows.option_signatures import chosen_parameters, required_parameter, takes
from globe_sms.flows.orchestration.deployed_run import in_place_of_nulls
from globe_sms.flows.orchestration.final_states import name_refusals
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.inquiry.explain_number import Explanation, explain
from globe_sms.tasks.inquiry.explanation_page import explanation_page
from globe_sms.tasks.runs.aws_credentials import open_s3
from globe_sms.tasks.store.open_store import open_existing
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_NUMBER = Annotated[
    Secret,  # pyright: ignore[reportMissingTypeArgument]  # Prefect has another block type for Secret[T]
    Field(
        json_schema_extra={
            "title": "Number",
            "description": "A Secret block that holds the phone number, such as +65 8123 4567: choose one, or press "
            "Add to make one. Delete the block when you have read the answer.",
        }
    ),
]


@flow(name="explain-number", persist_result=False)
@takes(
    [required_parameter("number", _NUMBER), *chosen_parameters("results", "default_region", "aws_credentials")],
)
@name_refusals
def explain_number(**options: Any) -> Explanation:
    """Show everything that happened to one phone number: planned, called, accepted, failed, delivered.

    The page `explained-number` of the run has the events of all campaigns of the results folder, in time order; the
    number is masked.

    Raises:
        InputError: the results folder or the region can't be used.
    """
    given = in_place_of_nulls(options, this_flow_run())
    number = str(given["number"].get())
    with redact_errors():
        s3 = cache(lambda: open_s3(given.get("aws_credentials") or None))
        found = explain(open_existing(given["results"], s3), number, s3, default_region=given.get("default_region"))
    publish_page("explained-number", explanation_page(found))
    get_run_logger().info("%s: %s The artifact explained-number has them all.", found.number, found.sentence())
    return Completed(  # pyright: ignore[reportReturnType]  # Prefect unwraps a returned state's data
        message=f"{found.number}: {found.sentence()} See the artifact explained-number.", data=found
    )
