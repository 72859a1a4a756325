"""The console script `globe-sms`. The import takes a second or two, so it happens where Ctrl-C is already handled."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        from globe_sms.deployments.commands import main as run
    except KeyboardInterrupt:
        sys.stderr.write("globe-sms: interrupted before anything was done\n")
        sys.exit(1)
    run()
