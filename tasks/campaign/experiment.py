"""The variants of an experiment, its holdout, and texts by language, as the options write them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

# The patterns that the form checks, too.
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,29}"
SHARE: Final = r"\d{1,9}(\.\d{1,6})?"
TAG: Final = r"[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,6}"
PERCENTAGE: Final = r"\d{1,2}(\.\d{1,4})?"
_SHARED: Final = rf":\s*(?P<share>{SHARE})\s*%?\s*"
_VARIANT: Final = re.compile(rf"\s*(?P<name>{NAME})\s*({_SHARED})?=(?P<text>.*)", re.DOTALL)
_BY_LANGUAGE: Final = re.compile(rf"\s*(?P<tag>{TAG})\s*=(?P<text>.*)", re.DOTALL)
_HOLDOUT: Final = re.compile(rf"\s*({PERCENTAGE})\s*%\s*")
_MOST_TEXTS: Final = 50
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Variant:
    """A text of an experiment, and the share of the numbers that get it (0 to 1; those of all variants add up to 1)."""

    name: str
    share: float
    text: str


def read_variants(given: Sequence[str]) -> tuple[Variant, ...]:
    """Read variants such as `A=text` or `A:70=text`; shares are relative to their sum, and equal if none is given.

    Raises:
        ValueError: one isn't written like this, a name is there twice, or only some have a share.
    """
    found: dict[str, tuple[float | None, str]] = {}
    for each in given:
        match = _VARIANT.fullmatch(each)
        if match is None:
            raise ValueError(
                f"{_shown(each)} isn't a variant: write A=the text, or A:70=the text for a share; names have letters, "
                "digits, dashes and underscores"
            )
        if match["name"] in found:
            raise ValueError(f"the variant {match['name']} is there twice: give each a name of its own")
        found[match["name"]] = None if match["share"] is None else float(match["share"]), match["text"]
    shares = [share for share, _ in found.values() if share is not None]
    if shares and (len(shares) < len(found) or not all(shares)):
        raise ValueError("give every variant a share above 0, as in A:70=..., or none of them")
    _check_count(found)
    total = sum(shares) or float(len(found))
    return tuple(Variant(name, (share or 1.0) / total, text) for name, (share, text) in found.items())


def read_by_language(given: Sequence[str]) -> Mapping[str, str]:
    """Read texts by language tag (BCP 47), such as `de=text` or `pt-BR=text`.

    Raises:
        ValueError: one isn't written like this, or a tag is there twice.
    """
    found: dict[str, str] = {}
    for each in given:
        match = _BY_LANGUAGE.fullmatch(each)
        if match is None:
            raise ValueError(f"{_shown(each)} isn't a text by language: write de=the text, or pt-BR=the text")
        tag = match["tag"].replace("_", "-")
        if tag.lower() in {other.lower() for other in found}:
            raise ValueError(f"the language {tag} is there twice: give one text for each")
        found[tag] = match["text"]
    _check_count(found)
    return found


def read_holdout(given: str) -> float:
    """Read a share such as `5%` (0 to 1).

    Raises:
        ValueError: it isn't a percentage above 0.
    """
    match = _HOLDOUT.fullmatch(given)
    share = 0.0 if match is None else float(match[1]) / 100
    if not share:
        raise ValueError("give a percentage above 0 and below 100, such as 5%")
    return share


def upper_bounds(variants: Sequence[Variant]) -> tuple[float, ...]:
    """Return where the share of each variant ends between 0 and 1; the last one's is 1."""
    ends = list(accumulate(variant.share for variant in variants))
    return (*ends[:-1], 1.0)


def _check_count(found: Mapping[str, object]) -> None:
    if len(found) > _MOST_TEXTS:
        raise ValueError(f"there are {len(found)} texts, and at most {_MOST_TEXTS} are allowed")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
