"""The console script. Importing the rest takes a second or two, in which Ctrl-C is answered as well."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        from globe_sms.deployments.command_line import main as run
    except KeyboardInterrupt:
        sys.stderr.write("globe-sms: interrupted before anything was done\n")
        sys.exit(1)
    run()
