"""What people answer to a text: STOP and START in several languages, and the opt-out list that follows from them."""
