"""The console script, and what puts the flows on a Prefect server."""
