"""Recipients as people, spreadsheets and vandals write them, generated from libphonenumber's examples."""

import random
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.phonemetadata import PhoneMetadata

_SEPARATORS = (
    " ",
    "-",
    ".",
    "/",
    "  ",
    " - ",
    ") ",
    " (",
    "\u00a0",
    "\u2011",
    "\u2013",
    "\u3000",
    "\u200b",
    "\u00ad",
    "~",
    "x",
    "*",
)
_WHITE = (" ", "\t", "\n", "\u200b", "\ufeff", "\u202a", "\u00a0", "\u2800", "\x00")
_BEFORE = ("Tel: ", "tel:", "p:", "(", "'", '"', "#", "=", ":-) ", "Ann ", "², ", "1. ", ";", "_")
_AFTER = (
    "...",
    ";",
    ",",
    "'",
    '"',
    ")",
    "#",
    "_",
    " mobile",
    " ext. 12",
    "ext1",
    " EXTN:3 ",
    "  Extension 12345678",
    ",ext 5",
    " - ext 5",
    " ext",
    " x 345",
    ",,7",
    ";ext=9",
    ";isub=1",
    "/x12",
    " #4",
    " - 503#",
)
_SCRIPTS = ("\uff10", "\u0660", "\u06f0", "\u0966", "\U0001d7ce")
_JUNK = (
    "", "0", "+", "n/a", "-", "#REF!", "NULL", "6.58E+09", "6,58e9", "6E9", "1.0", ".0", "00", "000", "0.0", "12",
    "+1", "ann@example.com", "1800FLOWERS", "+1-800-MICROSOFT", "١٢٣", "⑤⑥⑦", "²³⁴", "ALPHANUM3R1C", "123 or 456",
    "tel:81234567;phone-context=+65", "tel:6581234567;phone-context=example.com", "81234567;phone-context=",
    "+٦٥٨١٢٣٤٥٦٧",
    "tel:(65) 81234567;phone-context=a.b", "tel:81234567;phone-context=+999", "++6581234567", "\uff0b6581234567",
    "65+81234567", "+65+81234567", "0+447911123456", "+", "++", "00x123456", "+0065 81234567", "{}", "\u200b",
)  # fmt: skip


def _examples() -> list[tuple[int, str, str, str]]:
    """Return (country code, national number, national prefix, one of its international prefixes)."""
    found: list[tuple[int, str, str, str]] = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        metadata = PhoneMetadata.metadata_for_region(region)
        assert metadata is not None
        idd = metadata.international_prefix or "00"
        idd = metadata.preferred_international_prefix or (idd if idd.isdecimal() else "00")
        for kind in PhoneNumberType.values():
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None and number.country_code is not None:
                nsn = phonenumbers.national_significant_number(number)
                found.append((number.country_code, nsn, metadata.national_prefix or "", idd))
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = phonenumbers.example_number_for_non_geo_entity(code)
        assert number is not None
        found.append((code, phonenumbers.national_significant_number(number), "", "00"))
    return found


def spellings(seed: int, home: str | None = None) -> Iterator[str]:
    """Yield endless recipients: all regions and types, many spellings, near misses and junk.

    With `home`, half of them are made from numbers of its country code, which a list of that region is full of.
    """
    chance = random.Random(seed)
    examples = _examples()
    code = phonenumbers.country_code_for_region(home) if home else 0
    native = [example for example in examples if example[0] == code]
    while True:
        if chance.random() < 0.02:
            yield chance.choice(_JUNK)
            continue
        text = _digits(chance, *chance.choice(native if native and chance.random() < 0.5 else examples))
        if chance.random() < 0.6:
            text = _separated(chance, text)
        if chance.random() < 0.04:
            zero = ord(chance.choice(_SCRIPTS))
            text = "".join(chr(zero + int(char)) if "0" <= char <= "9" else char for char in text)
        yield _decorated(chance, text) if chance.random() < 0.12 else text


def _digits(chance: random.Random, code: int, nsn: str, national_prefix: str, idd: str) -> str:
    kept = chance.randint(0, len(nsn)) if chance.random() < 0.7 else len(nsn)
    length = len(nsn) if chance.random() < 0.8 else max(0, len(nsn) + chance.randint(-4, 6))
    nsn = nsn[: min(kept, length)] + "".join(chance.choices("0123456789", k=max(0, length - kept)))
    noise = chance.choice(("+", "", "0", "00", "000", "+0", "+00", "011"))
    noise += "".join(chance.choices("0123456789", k=chance.randint(0, 19)))
    forms = {
        f"+{code}{nsn}": 30,
        f"{code}{nsn}": 20,
        f"00{code}{nsn}": 8,
        f"{idd}{code}{nsn}": 5,
        f"{national_prefix}{nsn}": 15,
        nsn: 10,
        f"+{code}{national_prefix}{nsn}": 4,
        f"{code}{national_prefix}{nsn}": 3,
        noise: 5,
    }
    return chance.choices(list(forms), weights=list(forms.values()))[0]


def _separated(chance: random.Random, digits: str) -> str:
    used = chance.choices(_SEPARATORS, weights=(30, 20, 10, 5, 3, 3, 8, 8, 2, 2, 2, 1, 1, 1, 0.3, 0.3, 0.2), k=2)
    parts: list[str] = []
    rest = digits
    while rest:
        size = chance.randint(1, 5)
        parts.append(rest[:size])
        rest = rest[size:]
        if rest:
            parts.append(chance.choice(used))
    text = "".join(parts)
    return f"({text}" if ")" in text and chance.random() < 0.7 else text


def _decorated(chance: random.Random, text: str) -> str:
    place = chance.randint(0, len(text))
    head, tail = text[:place], text[place:]
    any_char = chr(
        chance.choice((chance.randrange(0x20, 0x250), chance.randrange(0x2000, 0x2070), chance.randrange(0xD7FF)))
    )
    return chance.choice(
        (
            chance.choice(_WHITE) + text + chance.choice(_WHITE),
            chance.choice(_BEFORE) + text,
            text + chance.choice(_AFTER),
            text + ".0" + chance.choice(("", " ", ".0", "\u200b")),
            head + chance.choice("abcxyzEOl") + tail,
            head + "".join(chance.choices("ABCDEFxyz", k=4)) + tail,
            head + chance.choice("+\uff0b,;#_!\t\n\u00b2\u2460\u2167") + tail,
            head + any_char + tail,
        )
    )
