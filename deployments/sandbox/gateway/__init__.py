"""The sandbox gateway: a server as strict as the strictest reading of Alibaba's documentation."""
