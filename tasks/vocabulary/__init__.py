"""Words that every part shares: statuses and reasons, errors, stop causes, masked numbers, spans of time."""
