"""What a check of `globe-sms doctor` found."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum

from globe_sms.tasks.vocabulary.errors import GlobeSmsError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in, mask_typed


class Verdict(StrEnum):
    """`wrong` keeps a campaign from going out as it should; `note` doesn't, but somebody should know."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: about what, whether it's right, and what was seen, with what to do if it's wrong."""

    subject: str
    verdict: Verdict
    said: str

    def as_json(self) -> dict[str, str]:
        """Return what `--json` prints of it."""
        return {"subject": self.subject, "verdict": self.verdict.value, "said": self.said}


Check = Callable[[], Iterable[tuple[Verdict, str]]]


def findings_of(subject: str, check: Check) -> Generator[Finding]:
    """Yield what a check finds, line by line; what it raises is the last of it.

    Nothing that is yielded holds a password in a URL or a whole phone number.
    """
    try:
        for verdict, said in check():
            yield _masked(subject, verdict, said)
    except GlobeSmsError as error:
        yield _masked(subject, Verdict.WRONG, str(error))
    except Exception as error:  # noqa: BLE001  # a check that fails must not hide the others
        yield _masked(subject, Verdict.WRONG, f"this check failed with {type(error).__name__}: please report it")


def _masked(subject: str, verdict: Verdict, said: str) -> Finding:
    return Finding(subject, verdict, mask_numbers_in(mask_typed(said)))
