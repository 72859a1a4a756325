"""Answers questions about past and running campaigns, from the results folder alone."""
