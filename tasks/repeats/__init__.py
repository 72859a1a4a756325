"""Keeps people from getting the same text twice within some hours, across the campaigns of a results folder.

earlier_campaigns  which campaigns of the folder may have sent the same text lately
texted_positions   which of their chunks' positions may have been texted, and when
find_repeats       which numbers of a campaign already have their text
"""
