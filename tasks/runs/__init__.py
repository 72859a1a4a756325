"""Opens what a run needs (account, S3, results folder, lease, policy), and closes it."""
