"""How often a call is tried again, with which pauses, and when that is given up."""

import random
from dataclasses import dataclass

from globe_sms.tasks.store.store_retries import STORE_PATIENCE


@dataclass(frozen=True, slots=True)
class Retries:
    """When to try again and when to give up. Pauses in seconds; each is drawn from half to all of its value."""

    tries: int = 8
    first_pause: float = 0.5
    longest_pause: float = 15.0
    store_patience: float = STORE_PATIENCE

    def pause(self, tries: int) -> float:
        """The pause after so many tries; none after 0."""
        if tries <= 0:
            return 0.0
        return min(self.longest_pause, self.first_pause * 2 ** (tries - 1)) * random.uniform(0.5, 1.0)
