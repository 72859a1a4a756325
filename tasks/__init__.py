"""The steps of a campaign and what they are made of; one module, one subject."""
