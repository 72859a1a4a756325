"""Counts on the command line: whole numbers in plain digits, never rounded or guessed."""

from collections.abc import Sequence
from typing import Any

from cyclopts import Token


def whole_number(kind: Any, tokens: Sequence[Token]) -> int:  # noqa: ARG001  # the signature is Cyclopts'
    """Read an option's value, as a converter of Cyclopts: that alone rounds 2.5 and takes 1_0 and 0x10.

    Raises:
        ValueError: it isn't just digits, with or without a minus sign (the bounds are checked later).
    """
    text = tokens[0].value
    if not (text.isascii() and text.removeprefix("-").isdecimal()):
        raise ValueError("give a whole number in plain digits, such as 250")
    return int(text)
