"""The steps of a campaign and of a tracking, in the order in which a flow calls them."""
