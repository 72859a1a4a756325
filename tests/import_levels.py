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
    ("tasks/planning", "tasks/delivery"),
    ("tasks/sending", "tasks/results", "tasks/repeats"),
    ("tasks/reports",),
    ("tasks/policy",),
    ("tasks/inquiry",),
    ("tasks",),
    ("flows/observers",),
    ("flows/orchestration",),
    ("flows",),
    ("flows/command_line",),
    ("deployments/receipts", "deployments/sandbox/gateway"),
    ("deployments/sandbox",),
    ("deployments",),
)

PREFECT_BELONGS_TO: Final = (
    "tasks",
    "flows",
    "flows/observers",
    "flows/orchestration",
    "flows/command_line",
    "deployments",
    "deployments/receipts",
    "deployments/sandbox",
    "deployments/sandbox/gateway",
)
"""The folders whose own files may import Prefect; in the folders of tasks/ nothing knows of it."""
