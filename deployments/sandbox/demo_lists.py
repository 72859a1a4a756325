"""The demo's lists: a few thousand realistically messy rows, identical for the same seed.

Its numbers are libphonenumber's examples with other last digits. Most are unassigned, but some may belong to people, so
they only go to the sandbox gateway on loopback.
"""

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from globe_sms.deployments.sandbox.number_spellings import SPELLINGS, WITHOUT_PLUS

# The countries of the demo's recipients. The last five show that shared or disputed prefixes are supported too.
REGIONS = (
    *("SG", "MY", "TH", "ID", "PH", "VN", "IN", "JP", "KR", "AU", "NZ", "GB", "DE", "FR", "ES", "IT", "NL", "SE"),
    *("PL", "BR", "ZA", "NG", "KE", "AE", "TR", "HK", "TW", "MO", "CA", "JM"),
)
_RECEIVING = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_VARIED_DIGITS = 4
_CSV_SHARE = 0.6

# Rows of each kind per thousand; the rest are `mobile`.
_SHARES = {
    "duplicate": 50,
    "china": 25,
    "united_states": 20,
    "fixed_line": 20,
    "empty": 12,
    "scientific": 10,
    "too_short": 8,
    "too_long": 8,
    "word": 6,
    "unknown_country": 6,
    "premium": 5,
    "toll_free": 5,
}
_GIVEN = ("Aisha", "Bao", "Chloé", "Dmitri", "Eva", "Femi", "Grace", "Hana", "Îlker", "João", "Kwame", "Linh", "小明")
_FAMILY = ("Tan", "Nguyễn", "O'Neill", "García, Jr.", "Müller", "Okafor", "Santos", 'de "Lux" Vries', "田中", "Öztürk")
_CITIES = (
    *("Singapore", "London, UK", "São Paulo", "Nairobi", "東京", "Kraków", "Lagos 🌍", 'The "Hague"'),
    *("Ho Chi Minh City\nDistrict 1", "Kingston\r\nJamaica", "Auckland", "Den Bosch; NL", "Dubai\tUAE", ""),
)
_WORDS = ("n/a", "unknown", "none", "ask Jane", "-", "see notes", "#REF!", "NULL", "tbd", "no phone")


@dataclass(frozen=True, slots=True, eq=False)
class DemoLists:
    """Two lists, and the kind of each row.

    `csv` has a BOM, CRLF, quoted fields and the columns Name, Phone Number, City; `parquet` has name, mobile, city.
    `rows` has one row per list row: file (csv or parquet), row (from 0), kind, recipient.
    """

    csv: bytes
    parquet: bytes
    rows: pl.DataFrame


def demo_lists(rows: int = 5_000, seed: int = 20_261_123) -> DemoLists:
    """Make the lists; 5,000 rows take about 0.5 s."""
    dice = random.Random(seed)
    kinds = _kinds(rows, dice)
    recipients = _recipients(kinds, dice)
    people = pl.DataFrame(
        {
            "name": [f"{dice.choice(_GIVEN)} {dice.choice(_FAMILY)}" for _ in kinds],
            "recipient": recipients,
            "city": [dice.choice(_CITIES) for _ in kinds],
        }
    )
    in_csv = int(rows * _CSV_SHARE)
    csv, parquet = io.BytesIO(), io.BytesIO()
    people.head(in_csv).rename({"name": "Name", "recipient": "Phone Number", "city": "City"}).write_csv(
        csv, include_bom=True, line_terminator="\r\n"
    )
    people.tail(rows - in_csv).rename({"recipient": "mobile"}).write_parquet(parquet)
    places = [("csv", row) if row < in_csv else ("parquet", row - in_csv) for row in range(rows)]
    return DemoLists(
        csv.getvalue(),
        parquet.getvalue(),
        pl.DataFrame(
            {
                "file": [file for file, _ in places],
                "row": [row for _, row in places],
                "kind": kinds,
                "recipient": recipients,
            }
        ),
    )


def _kinds(rows: int, dice: random.Random) -> list[str]:
    kinds = [kind for kind, share in _SHARES.items() for _ in range(rows * share // 1000)]
    kinds += ["mobile"] * (rows - len(kinds))
    dice.shuffle(kinds)
    return kinds


def _recipients(kinds: list[str], dice: random.Random) -> list[str | None]:
    mobiles = _mobiles(dice)
    sent: list[PhoneNumber] = []
    makers = _makers(dice)
    recipients: list[str | None] = []
    for kind in kinds:
        if kind == "mobile" or (kind == "duplicate" and not sent):
            sent.append(next(mobiles))
            spelling = WITHOUT_PLUS if dice.random() < 0.7 else dice.choice(SPELLINGS)  # noqa: PLR2004 - most lists look so
            recipients.append(spelling(sent[-1], dice))
        elif kind == "duplicate":
            recipients.append(dice.choice(SPELLINGS)(dice.choice(sent), dice))
        else:
            recipients.append(makers[kind]())
    return recipients


def _makers(dice: random.Random) -> dict[str, Callable[[], str | None]]:
    def of_type(kind: int, *regions: str) -> Callable[[], str]:
        examples = [phonenumbers.example_number_for_type(region, kind) for region in regions]
        # If fixed lines and mobiles share a range, the example of a fixed line may be a mobile number.
        found = [each for each in examples if each is not None and phonenumbers.number_type(each) == kind]
        return lambda: dice.choice(SPELLINGS)(dice.choice(found), dice)

    def varied(region: str) -> Callable[[], str]:
        numbers = _varied(region, dice)
        return lambda: dice.choice(SPELLINGS)(next(numbers), dice)

    def digits(number: PhoneNumber) -> str:
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]

    mobiles = _mobiles(dice)
    return {
        "china": varied("CN"),
        "united_states": varied("US"),
        "fixed_line": of_type(PhoneNumberType.FIXED_LINE, *REGIONS),
        "premium": of_type(PhoneNumberType.PREMIUM_RATE, "SG", "GB", "DE", "FR", "AU", "JP"),
        "toll_free": of_type(PhoneNumberType.TOLL_FREE, "SG", "GB", "DE", "FR", "AU", "JP"),
        "empty": lambda: dice.choice(("", None, " ", "\u00a0")),
        "scientific": lambda: f"{int(digits(next(mobiles))):.{dice.choice((4, 5))}E}",
        "too_short": lambda: digits(next(mobiles))[: dice.choice((4, 5))],
        "too_long": lambda: digits(next(mobiles)) + "".join(dice.choices("0123456789", k=8)),
        "word": lambda: dice.choice(_WORDS),
        "unknown_country": lambda: f"+{dice.choice(('999', '210', '801'))}{dice.randrange(10**7, 10**8)}",
    }


def _mobiles(dice: random.Random) -> Iterator[PhoneNumber]:
    pools = {region: _varied(region, dice) for region in REGIONS}
    while pools:
        region = dice.choice(tuple(pools))
        number = next(pools[region], None)
        if number is None:
            del pools[region]
        else:
            yield number


def _varied(region: str, dice: random.Random) -> Iterator[PhoneNumber]:
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    if example is None:  # all our regions have mobile numbers
        return
    scale = 10**_VARIED_DIGITS
    base = (example.national_number or 0) // scale * scale
    for last in dice.sample(range(scale), scale):
        number = PhoneNumber(
            country_code=example.country_code,
            national_number=base + last,
            italian_leading_zero=example.italian_leading_zero,
        )
        if phonenumbers.is_valid_number_for_region(number, region) and phonenumbers.number_type(number) in _RECEIVING:
            yield number
