"""Counts with their noun, in the singular or the plural."""


def counted(number: int, thing: str) -> str:
    """Return `1 call`, `0 calls` or `1,200 calls` for the singular `call`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
