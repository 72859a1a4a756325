"""The plan and the ledger, joined: one row for each input row."""
