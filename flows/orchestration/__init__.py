"""What the flows do around their tasks: approval, canary, shards, scheduled start, final states."""
