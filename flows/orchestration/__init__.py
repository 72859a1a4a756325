"""What the flows do around their tasks: approval, canary, shards, schedule, artifacts."""
