"""Turns to call: one schedule for each account, shared by all of its runs."""
