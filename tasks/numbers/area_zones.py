"""Time zones by area code, for the three calling codes whose mobile numbers keep the code of a place.

Everywhere else the first digits of a mobile number name an operator, not a place. +1: by phonenumbers' table, down to
the exchange. Brazil and Mexico: by the tables below, because phonenumbers sorts their mobile numbers by the exchanges
of fixed lines, and Chihuahua by its clock of before 2022. Sources: zone.tab of the time zone database, which says what
states a zone covers; Anatel's and the IFT's numbering plans, which say what state an area code belongs to.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from phonenumbers.tzdata import TIMEZONE_DATA

Zones = tuple[str, ...]

_NORTH_AMERICA: Final = "1"


def _areas(code: str, zones: Mapping[str, str]) -> Iterator[tuple[str, Zones]]:
    for areas, names in zones.items():
        for area in areas.split():
            yield f"{code}{area}", tuple(f"America/{name}" for name in names.split())


_BRAZIL: Final[Mapping[str, str]] = {
    "1 2 3 4 5 61 62 64": "Sao_Paulo",
    "63": "Araguaina",
    "65 66": "Cuiaba",
    "67": "Campo_Grande",
    "68": "Rio_Branco",
    "69": "Porto_Velho",
    "71 73 74 75 77": "Bahia",
    "79 82": "Maceio",
    "81": "Noronha Recife",
    "87": "Recife",
    "83 84 85 86 88 89 98 99": "Fortaleza",
    "91 96": "Belem",
    "92": "Manaus",
    "93 94": "Belem Santarem",
    "95": "Boa_Vista",
    "97": "Eirunepe Manaus",
}
# By state; areas on both sides of a border have both. Areas that aren't here have the zones of the whole country.
_MEXICO: Final[Mapping[str, str]] = {
    "2 4 5 7 33 34 35 37 38 91 92 93 95 96 97": "Mexico_City",
    "31 32 389": "Bahia_Banderas Mazatlan Mexico_City",  # Nayarit, Jalisco and Colima
    "981 982 985 986 988 99": "Merida",
    "983 984 987 998": "Cancun",
    "612 613 615 624": "Mazatlan",  # Baja California Sur
    "667 668 669 672 673 687 694 695 696 697 698": "Mazatlan",  # Sinaloa
    "622 623 631 632 633 634 637 638 641 642 643 644 645 647 651 653 662": "Hermosillo",
    "616 646 658 661 663 664 665 686": "Tijuana",
    "614 621 625 627 628 629 635 636 639 648 649 652 659": "Chihuahua",
    "626": "Chihuahua Ojinaga",
    "656 657": "Chihuahua Ciudad_Juarez",
    "618 671 674 675 676 677": "Monterrey",  # Durango
    "81 82 84": "Monterrey",
    "83 86 87 89": "Matamoros Monterrey",  # Tamaulipas and Coahuila, some of them on the border
}

ZONES_BY_AREA: Final[Mapping[str, Zones]] = {
    **{area: zones for area, zones in TIMEZONE_DATA.items() if area.startswith(_NORTH_AMERICA) and area != "1"},
    **dict(_areas("55", _BRAZIL)),
    **dict(_areas("52", _MEXICO)),
}
"""The zones that numbers may be in by the first digits of their E.164 form; the longest match counts."""
