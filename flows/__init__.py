"""The flows: what an operator runs."""
