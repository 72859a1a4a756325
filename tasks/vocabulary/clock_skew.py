"""How far this machine's clock is from a server's, by the Date header of an answer."""

from email.utils import parsedate_to_datetime


def clock_skew(date: str | None, asked: float, answered: float) -> float:
    """Return this machine's clock minus the server's, in seconds; what could be the header's rounding reads as 0.0.

    Args:
        date: the Date header, which has whole seconds; None if there was none.
        asked: Unix time by this machine's clock before the request.
        answered: and after the answer.
    """
    if date is None:
        return 0.0
    theirs = parsedate_to_datetime(date).timestamp()
    if asked > theirs + 1.0:
        return asked - theirs - 1.0
    return min(0.0, answered - theirs)
