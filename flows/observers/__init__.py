"""What people see of a run: a run reports each event once, and its outlets show it."""
