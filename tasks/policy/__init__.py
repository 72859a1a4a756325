"""The policy: an account's standing rules, which a campaign can tighten and never loosen."""
