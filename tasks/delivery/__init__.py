"""After the send: was it delivered, and what became of the unknown.

A *delivery receipt* is Alibaba's (SmsReport); a *receipt* alone is the ledger's.
"""
