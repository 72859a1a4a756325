"""Where tests put objects of their own."""

from collections.abc import Callable

BUCKET = "tests"
Put = Callable[[str, bytes], str]
"""Puts an object under the test's own prefix; returns its URI."""
