"""The usual names of columns: of phone numbers, and of the countries beside them."""

import re
import unicodedata
from typing import Final

# Compared without case, accents, spaces, dashes and underscores (see `normalize_name`).
_PHONE_WORDS = (
    "phone",
    "mobile",
    "mobilephone",
    "cell",
    "cellphone",
    "cellular",
    "tel",
    "telephone",
    "handphone",
    "handset",
)
_NUMBER_WORDS = ("", "number", "no", "num", "nr", "numbers", "nos")
_OTHER_NAMES = (
    *("msisdn", "to", "recipient", "recipients", "recipientnumber", "recipientphone", "recipientphonenumber"),
    *("number", "numbers", "phones", "mobiles", "contactnumber", "contactno", "contactphone", "contactmobile"),
    *("customerphone", "customermobile", "userphone", "usermobile", "smsnumber", "smsphone", "e164", "phonee164"),
    *("whatsapp", "whatsappnumber", "whatsappno", "destinationnumber", "destination", "hp", "hpno", "nohp", "nomorhp"),
    *("telefon", "telefonnummer", "handy", "handynummer", "mobilnummer", "mobiltelefon"),
    *("telefono", "numerodetelefono", "numerotelefono", "celular", "movil", "cellulare"),
    *("telephoneportable", "numerodetelephone", "telefone", "telemovel", "nomortelepon", "sodienthoai", "sdt"),
    *("手机", "手机号", "手机号码", "电话", "电话号码", "手機", "手機號碼", "電話", "電話番号", "携帯電話", "携帯番号"),
)
# Usual names that also name other things: a customer's number, the end of a journey.
_VAGUE_NAMES = frozenset({"number", "numbers", "to", "recipient", "recipients", "destination", "hp"})
_REGION_NAMES = (
    *("country", "countrycode", "countryiso", "countryiso2", "countryname", "isocountry", "isocountrycode"),
    *("iso", "iso2", "isocode", "cc", "dialcode", "diallingcode", "dialingcode", "callingcode", "phonecountry"),
    *("phonecountrycode", "mobilecountrycode", "phonecode", "nation", "regioncode", "phoneregion"),
    *("land", "pais", "pays", "paese", "negara", "kodenegara", "quocgia", "国家", "國家", "国家代码", "国", "国名"),
)


def normalize_name(name: str) -> str:
    """Return a column name for comparison: letters and digits only, without case, accents and width.

    `" Phone_No. "`, `"PHONE-NO"` and `"phoneno"` are the same name.
    """
    spread = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in unicodedata.normalize("NFKD", spread.casefold()) if char.isalnum())


_COMMON = frozenset(
    [normalize_name(name) for name in _OTHER_NAMES]
    + [word + number for word in _PHONE_WORDS for number in _NUMBER_WORDS]
)
_REGIONS: Final = frozenset(normalize_name(name) for name in _REGION_NAMES)
_WORDS: Final = frozenset({*_PHONE_WORDS, "msisdn", "whatsapp", "sms", "telefon", "handy", "telefono", "celular", "hp"})
_LONG_WORDS: Final = tuple(
    normalize_name(word)
    for word in ("phone", "mobile", "msisdn", "whatsapp", "telefon", "celular", "手机", "手機", "电话", "電話")
)


def is_usual_name(name: str) -> bool:
    """Whether a column of this name is taken for the phone numbers if no column is named."""
    return normalize_name(name) in _COMMON


def is_possible_name(name: str) -> bool:
    """Whether a column of this name could hold phone numbers: it has a word for them among others."""
    plain = normalize_name(name)
    words = {normalize_name(word) for word in re.split(r"[\W_]+", name)}
    return is_usual_name(name) or bool(words & _WORDS) or any(word in plain for word in _LONG_WORDS)


def is_vague_name(name: str) -> bool:
    """Whether a usual name of number columns also names other things."""
    return normalize_name(name) in _VAGUE_NAMES


def is_region_name(name: str) -> bool:
    """Whether a column of this name may hold the countries of the numbers."""
    return normalize_name(name) in _REGIONS
