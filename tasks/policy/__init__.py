"""The policy: an account's standing rules, which a campaign can tighten but never loosen."""
