"""Keeps the call rate: one schedule of turns per account, shared by all its runs."""
