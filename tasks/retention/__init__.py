"""Erases numbers and texts from what is kept: of old campaigns, or of one number everywhere.

What is left, hashes with a key, still keeps people from getting a text twice (`tasks.campaign.number_hashes`).

erased_rows      what of an object's rows is erased
erase_campaign   one campaign: its plan, results, deliveries and campaign.json
erase_receipts   the receipts and replies that were pushed
purge            all campaigns that ended long ago
forget           one number, with a certificate
forgotten        who was forgotten, for planning and sending
"""
