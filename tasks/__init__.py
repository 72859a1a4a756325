"""What Prefect sees: the steps as tasks, and the account's block."""
