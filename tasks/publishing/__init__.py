"""The table that all campaigns share: each writes its results into it as a partition (`--publish`).

published_rows   the columns of the table, and what a row says of its number
publish          writes a campaign's partition, and keeps in campaign.json where
"""
