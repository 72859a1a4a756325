"""One campaign: its configuration, its lease, its ledger, and what people decided about it."""
