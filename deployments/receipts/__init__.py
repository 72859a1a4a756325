"""Receives delivery receipts and replies, by HTTP push or from Alibaba's message queue, and stores them."""
