"""The zones a number may be in: those of its country, narrowed where the area code tells the place."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import phonenumbers
import polars as pl
import pytest
from phonenumbers import PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA

from globe_sms.tasks.numbers.area_zones import ZONES_BY_AREA
from globe_sms.tasks.numbers.time_zones import zone_table, zones_of, zones_of_region

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def mobile(region: str) -> phonenumbers.PhoneNumber | None:
    """Return an example mobile number."""
    return phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)


def digits(number: phonenumbers.PhoneNumber) -> str:
    """Return the E.164 digits."""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


REGIONS = sorted(region for region in phonenumbers.SUPPORTED_REGIONS if mobile(region))


@cache
def clock(zone: str) -> tuple[object, ...]:
    """Return the zone's offsets in the four quarters of a year."""
    moments = [NOW + timedelta(days=days) for days in (0, 91, 182, 273)]
    return tuple(moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments)


def clocks(zones: Iterable[str]) -> set[tuple[object, ...]]:
    """Return the different clocks of some zones."""
    return set(map(clock, zones))


@pytest.mark.parametrize("region", REGIONS)
def test_a_mobile_number_has_the_zones_of_its_own_country(region: str) -> None:
    """All of them, unless the area code tells the place: in +1, Brazil and Mexico."""
    number = mobile(region)
    assert number is not None
    found, country = zones_of(region, digits(number)), zones_of_region(region)
    assert found
    assert clocks(found) <= clocks(country)
    if number.country_code not in {1, 52, 55}:
        assert found == country


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_has_zones(region: str) -> None:
    """Also those of libphonenumber that the time zone database doesn't list: Kosovo, Ascension, Tristan da Cunha."""
    assert clocks(zones_of_region(region))


def test_no_area_is_in_another_countrys_zones() -> None:
    """For each area code that narrows the zones: numbers in it belong to a country with these clocks."""
    for area, zones in ZONES_BY_AREA.items():
        code = 1 if area.startswith("1") else int(area[:2])
        parsed = phonenumbers.PhoneNumber(code, int(area.removeprefix(str(code)).ljust(10, "5")))
        region = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(code)
        assert clocks(zones) <= clocks(zones_of_region(region)), area


@pytest.mark.parametrize(
    ("region", "number", "zones"),
    [
        ("CA", "12042345678", {"America/Winnipeg"}),
        ("BS", "12423591234", {"America/Nassau"}),
        ("BR", "5511987654321", {"America/Sao_Paulo"}),
        ("CL", "56912345678", {"America/Santiago", "America/Punta_Arenas", "America/Coyhaique", "Pacific/Easter"}),
        ("PG", "67570123456", {"Pacific/Port_Moresby", "Pacific/Bougainville"}),
        ("ID", "6281234567890", {"Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"}),
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


@pytest.mark.parametrize(
    ("region", "number", "zones"),
    [
        ("SS", "211977123456", {"Africa/Juba"}),
        ("DZ", "213551234567", {"Africa/Algiers"}),
        ("LY", "218912345678", {"Africa/Tripoli"}),
        ("NI", "50581234567", {"America/Managua"}),
        ("BR", "5591987654321", {"America/Belem"}),
        ("BR", "5581987654321", {"America/Recife", "America/Noronha"}),
        ("BR", "5597987654321", {"America/Manaus", "America/Eirunepe"}),
        ("BR", "5566987654321", {"America/Cuiaba"}),
        ("MX", "525512345678", {"America/Mexico_City"}),
        ("MX", "526141234567", {"America/Chihuahua"}),
        ("MX", "526561234567", {"America/Chihuahua", "America/Ciudad_Juarez"}),
        ("MX", "526641234567", {"America/Tijuana"}),
        ("MX", "526621234567", {"America/Hermosillo"}),
        ("MX", "529981234567", {"America/Cancun"}),
        ("MX", "528681234567", {"America/Matamoros", "America/Monterrey"}),
        ("CA", "12505551234", {"America/Vancouver"}),
    ],
)
def test_a_number_has_these_zones_alone(region: str, number: str, zones: set[str]) -> None:
    """Phonenumbers' own table has the first four in other countries, and Belém, Chihuahua and Matamoros an hour off."""
    assert set(zones_of(region, number)) == zones


def test_the_compiled_table_agrees_for_every_area() -> None:
    """For every prefix that phonenumbers knows and examples of every region; equal zones share a kind."""
    table = zone_table(NOW)
    areas = [
        (phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(prefix[: len(prefix) - rest])][-1], prefix.ljust(11, "5"))
        for prefix in {*TIMEZONE_DATA, *ZONES_BY_AREA}
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
