"""Questions about campaigns that were run: answered from the results place alone, without Prefect and the gateway."""
