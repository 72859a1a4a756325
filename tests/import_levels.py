"""Which folder may import which: the order of the house, low to high, in one place.

`tests/unit/test_import_order.py` checks it, and the picture in tasks/README.md is drawn from it. A folder imports
folders of lower levels only; folders of one level don't know each other. A folder's name stands for its own files;
folders inside it that aren't named here belong to it.
"""

from typing import Final

LEVELS: Final[tuple[tuple[str, ...], ...]] = (
    ("tasks/vocabulary",),
    ("tasks/numbers", "tasks/gateway", "tasks/store"),
    ("tasks/recipients", "tasks/account", "tasks/pacing"),
    ("tasks/messages",),
    ("tasks/campaign",),
    ("tasks/delivery",),
    ("tasks/replies",),
    ("tasks/planning", "tasks/publishing"),
    ("tasks/sending", "tasks/results", "tasks/repeats", "tasks/retention"),
    ("tasks/reports",),
    ("tasks/policy",),
    ("tasks/inquiry",),
    ("tasks/runs",),
    ("tasks/steps",),
    ("tasks",),
    ("flows/observers",),
    ("flows/orchestration",),
    ("flows",),
    ("flows/command_line",),
    ("deployments/receipts", "deployments/sandbox/gateway"),
    ("deployments/sandbox",),
    ("deployments",),
)

KNOW_PREFECT: Final = (
    "tasks/blocks.py",
    "tasks/prefect_tasks.py",
    "tasks/runs/read_block.py",
    "flows/check_account.py",
    "flows/explain_number.py",
    "flows/resend_unknown.py",
    "flows/send_campaign.py",
    "flows/track_delivery.py",
    "flows/try_campaign.py",
    "flows/orchestration/approval_form.py",
    "flows/orchestration/cancelled_message.py",
    "flows/orchestration/dead_predecessor.py",
    "flows/orchestration/deployed_run.py",
    "flows/orchestration/earlier_run.py",
    "flows/orchestration/final_states.py",
    "flows/orchestration/lineage.py",
    "flows/orchestration/answer_due.py",
    "flows/orchestration/prefect_executor.py",
    "flows/orchestration/run_name.py",
    "flows/orchestration/scheduled_start.py",
    "flows/orchestration/this_flow_run.py",
    "flows/observers/current_observer.py",
    "flows/observers/explained_ends.py",
    "flows/observers/first_lines.py",
    "flows/observers/last_report.py",
    "flows/observers/prefect_artifacts.py",
    "flows/observers/prefect_events.py",
    "flows/observers/publish_page.py",
    "flows/command_line/doctor/prefect_server.py",
    "flows/command_line/prefect_server_check.py",
    "flows/command_line/process_exit.py",
    "flows/command_line/run_in_terminal.py",
    "deployments",
)
"""The files (and folders) that may import Prefect; a run without a server uses only those that import it late."""
