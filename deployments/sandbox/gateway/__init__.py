"""The stand-in gateway: a server that is no more lenient than the strictest reading of the documents."""
