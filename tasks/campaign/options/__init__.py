"""The options of a campaign, each declared once: the twelve that every campaign has, and nine groups."""
