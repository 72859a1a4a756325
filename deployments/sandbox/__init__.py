"""The laptop deployment: an S3 server and a sandbox gateway, both on loopback only.

It needs the extra `sandbox`. The gateway doesn't import the client in `tasks`, so that they can't share a mistake.
"""
