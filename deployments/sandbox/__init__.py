"""The laptop deployment: an S3 server and a stand-in gateway, both on loopback only.

It needs the extra `sandbox`. Nothing here imports the client in `tasks`: the two must not share a mistake.
"""
