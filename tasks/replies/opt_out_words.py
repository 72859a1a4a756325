"""The words by which people opt out of texts, and in again: one table, with the source of each line.

A reply counts if it is nothing but one of these words: `STOP`, `stop.`, `"Stop"`. After words that mean nothing else
(`FIRM`), more may follow: `STOP texting me`, `UNSUBSCRIBE please`. In doubt somebody is left out; who wants texts again
must say so with exactly one word. YES isn't among these, though others take it for START: it may answer a question.
"""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Meaning(StrEnum):
    """What a reply says about texts."""

    STOP = "stop"
    START = "start"
    OTHER = "other"


_AWS: Final = "https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html"
_TWILIO: Final = "https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out"
_BIRD: Final = "https://docs.bird.com/api/channels-api/api-reference/compliance-keywords-messages"
_ADOBE: Final = "https://experienceleague.adobe.com/en/docs/journey-optimizer/using/channels/sms/sms-opt-out"
_TENCENT: Final = "Tencent Cloud's SMS API, MarketingTemplateWithoutUnsubscribe: texts must say that R refuses more"
_MMA: Final = "the Mobile Marketing Association's rules for Spanish, as consumer guides quote them"
_TRANSLATED: Final = "a translation of STOP or UNSUBSCRIBE; no provider's list has it"

STOP_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "stop": ("en", _AWS),
        "stopall": ("en", _TWILIO),
        "stop all": ("en", _TWILIO),
        "unsubscribe": ("en", _AWS),
        "cancel": ("en", _AWS),
        "end": ("en", _AWS),
        "quit": ("en", _AWS),
        "remove": ("en", _AWS),
        "opt out": ("en", _AWS),
        "optout": ("en", _AWS),
        "revoke": ("en", _TWILIO),
        "no": ("en", _ADOBE),
        "arret": ("fr", _AWS),
        "arreter": ("fr", _TRANSLATED),
        "desabonner": ("fr", _TRANSLATED),
        "stopp": ("de", _TRANSLATED),
        "halt": ("de", _BIRD),
        "abmelden": ("de", _TRANSLATED),
        "afmelden": ("nl", _TRANSLATED),
        "baja": ("es", _MMA),
        "cancelar": ("es, pt", _MMA),
        "detener": ("es", _BIRD),
        "alto": ("es", _TRANSLATED),
        "parar": ("pt, es", _BIRD),
        "sair": ("pt", _TRANSLATED),
        "ferma": ("it", _BIRD),
        "annulla": ("it", _TRANSLATED),
        "zatrzymaj": ("pl", _BIRD),
        "стоп": ("ru", _TRANSLATED),
        "остановить": ("ru", _BIRD),
        "отписаться": ("ru", _TRANSLATED),
        "iptal": ("tr", _TRANSLATED),
        "dur": ("tr", _TRANSLATED),
        "berhenti": ("id, ms", _TRANSLATED),
        "batal": ("id, ms", _TRANSLATED),
        "huy": ("vi", _TRANSLATED),
        "tu choi": ("vi", _TRANSLATED),
        "ยกเลิก": ("th", _TRANSLATED),
        "หยุด": ("th", _TRANSLATED),
        "td": ("zh", _AWS),
        "t": ("zh", _TRANSLATED),
        "r": ("zh", _TENCENT),
        "退订": ("zh", _TRANSLATED),
        "退訂": ("zh", _TRANSLATED),
        "停止": ("zh, ja", _TRANSLATED),
        "配信停止": ("ja", _TRANSLATED),
        "수신거부": ("ko", _TRANSLATED),
        "إلغاء": ("ar", _TRANSLATED),
        "توقف": ("ar", _TRANSLATED),
        "הסר": ("he", _TRANSLATED),
    }
)
"""The language and the source of each word; accents don't count."""

START_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "start": ("en", _TWILIO),
        "unstop": ("en", _AWS),
        "begin": ("en", _BIRD),
        "resume": ("en", _BIRD),
        "revert": ("en", _BIRD),
        "subscribe": ("en", _ADOBE),
        "nonarret": ("fr", _BIRD),
    }
)

FIRM: Final = ("stop", "stopall", "unsubscribe", "optout", "opt out", "arret", "stopp", "baja", "стоп", "退订", "退訂")
"""Stop words that count also where more text follows."""


def meaning_of(text: str) -> Meaning:
    """Return what a reply's text says about texts; case, accents, punctuation and emoji don't count."""
    words = _plain(text)
    if words in STOP_WORDS:
        return Meaning.STOP
    if words in START_WORDS:
        return Meaning.START
    return Meaning.STOP if words.startswith(tuple(f"{word} " for word in FIRM)) else Meaning.OTHER


def _plain(text: str) -> str:
    """Return a text's words in lower case, with one space between them."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    without_accents = "".join(each for each in letters if not _is_accent(each))
    kept = unicodedata.normalize("NFC", without_accents)
    return " ".join("".join(each if _is_of_a_word(each) else " " for each in kept).split())


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _is_accent(character: str) -> bool:
    """Whether it's an accent of Latin letters: other scripts' marks belong to their letters."""
    return "\u0300" <= character <= "\u036f"
