"""Shares as percentages."""


def percent(share: float) -> str:
    """Return a share (0 to 1) as a percentage; only all or nothing is shown as 100 % or 0 %."""
    shown = f"{100 * share:.1f}"
    shown = "99.9" if shown == "100.0" and share < 1 else "0.1" if shown == "0.0" and share > 0 else shown
    return f"{shown.removesuffix('.0') if share in {0, 1} else shown} %"
