"""The vocabulary that every other folder shares: statuses and reasons, errors, stop causes, masking, durations."""
