"""Where the flows run: the console script, deployments on a Prefect server, container files, and a local sandbox."""
