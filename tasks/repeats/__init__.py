"""Keeps people from getting the same text twice within some hours, across the campaigns of a results folder.

earlier_campaigns  which campaigns of the folder may have sent the same text lately
texted_positions   which of their chunks' positions may have been texted, and when
repeats            what a run asks: who has the text, and which campaign it must wait for
find_repeats       which numbers of a campaign already have their text
"""
