"""From recipient lists to the frozen plan."""
