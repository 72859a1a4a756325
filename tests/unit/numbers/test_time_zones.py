"""The zones a number may be in: as phonenumbers says if it knows them for one country, and never less strictly."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import polars as pl
import pytest
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

from globe_sms.tasks.numbers.time_zones import zone_table, zones_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def mobile(region: str) -> phonenumbers.PhoneNumber | None:
    """Return an example mobile number."""
    return phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)


def digits(number: phonenumbers.PhoneNumber) -> str:
    """Return the E.164 digits."""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


REGIONS = sorted(region for region in phonenumbers.SUPPORTED_REGIONS if mobile(region))


@pytest.mark.parametrize("region", REGIONS)
def test_a_mobile_number_has_the_zones_of_phonenumbers(region: str) -> None:
    """But countries that share a calling code have their own zones here."""
    number = mobile(region)
    assert number is not None
    found = zones_of(region, digits(number))
    assert found
    assert {ZoneInfo(zone).key for zone in found} == set(found)
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[number.country_code or 0]) == 1:
        assert set(time_zones_for_number(number)) <= set(found)
        if phonenumbers.number_type(number) == PhoneNumberType.MOBILE:
            assert found == tuple(time_zones_for_number(number))


@pytest.mark.parametrize(
    ("region", "number", "zones"),
    [
        ("CA", "12042345678", {"America/Winnipeg"}),
        ("BS", "12423591234", {"America/Nassau"}),
        ("BR", "5511987654321", {"America/Sao_Paulo"}),
        ("KZ", "77012345678", {"Asia/Almaty", "Asia/Aqtau", "Asia/Oral"}),
        ("RU", "79161234567", {"Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka"}),
        ("AU", "61412345678", {"Australia/Perth", "Australia/Sydney"}),
        ("CX", "61891641234", {"Indian/Christmas"}),
        ("001", "88212345678", set()),
        (None, "88212345678", set()),
    ],
)
def test_area_or_country_decides_the_zones(region: str | None, number: str, zones: set[str]) -> None:
    """The area if it tells, else the whole country."""
    found = set(zones_of(region, number))
    assert zones <= found
    assert bool(found) is bool(zones)


def test_the_compiled_table_agrees_for_every_area() -> None:
    """For every prefix that phonenumbers knows and examples of every region; equal zones share a kind."""
    table = zone_table(NOW)
    areas = [
        (phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(prefix[: len(prefix) - rest])][-1], prefix.ljust(11, "5"))
        for prefix in phonenumbers.timezone.TIMEZONE_DATA
        for rest in range(len(prefix))
        if int(prefix[: len(prefix) - rest]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    ]
    examples = [(region, digits(number)) for region in REGIONS if (number := mobile(region)) is not None]
    asked = [*areas, *examples, (None, "88212345678"), ("SG", "6581234567")]
    found = table.look_up(
        pl.DataFrame(
            {"region": [region for region, _ in asked], "e164": [int(number) for _, number in asked]},
            schema={"region": pl.String, "e164": pl.Int64},
        )
    ).to_list()
    for (region, number), place in zip(asked, found, strict=True):
        zones = zones_of(region, number)
        assert set(zones) <= set(table.kinds[place])
        assert {ZoneInfo(zone).utcoffset(NOW) for zone in zones} == {
            ZoneInfo(zone).utcoffset(NOW) for zone in table.kinds[place]
        }
    assert table.kinds[found[-2]] == ()
    assert len(table.kinds) < 120  # few kinds, so that few chunks are short
