"""Runs `globe-sms` with a clock that is off: `python -m tests.benchmarks.shifted_clock send ...`.

SHIFT_SECONDS says by how much this process's Unix time is ahead of the machine's. It's moved before anything of
globe-sms is imported, so the program sees nothing but a machine whose clock is wrong.
"""

import os
import time

_machine = time.time
_shift = float(os.environ["SHIFT_SECONDS"])
time.time = lambda: _machine() + _shift

from globe_sms.deployments.console_script import main  # noqa: E402  # with the clock as it is by now

if __name__ == "__main__":
    main()
