"""After sending: which messages were delivered, and what receipts say about unknown rows.

A *delivery receipt*, or receipt for short, is what Alibaba pushes (SmsReport); the ledger has *send records*.
"""
