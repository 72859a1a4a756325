"""From the plan to the gateway: the chunks, their calls and how far they have come."""
