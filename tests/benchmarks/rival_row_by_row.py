"""A rival: `phonenumbers` row by row, as scripts use it; the pure one or the C++ binding, which share the name.

python tests/benchmarks/rival_row_by_row.py TEXTS.json REGION|none [--keep-patterns]

It imports nothing else, so that any interpreter can run it. Prints one JSON object.
"""

import json
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import phonenumbers


def rows_a_second(texts: list[str | None], region: str | None) -> float:
    """Return how many texts a second are parsed, validated, classed and written as E.164, or given a reason."""
    # The C++ binding gives no reason; it is spared that work.
    possible = getattr(phonenumbers, "is_possible_number_with_reason", phonenumbers.is_possible_number)
    start = time.perf_counter()
    for text in texts:
        if not text:
            continue
        try:
            number = phonenumbers.parse(text if region or "+" in text else international(text), region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            phonenumbers.number_type(number)
            phonenumbers.region_code_for_number(number)
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        else:
            possible(number)
    return len(texts) / (time.perf_counter() - start)


def international(text: str) -> str:
    """Write a number without a plus sign as a careful script does, so that it is parsed once and not refused."""
    return f"+{text.removeprefix('00')}"


def package() -> str:
    """Say which of the two packages is installed, and its version."""
    for name in ("closeio-phonenumbers", "phonenumbers"):
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "phonenumbers, of unknown version"


def main() -> None:
    """Measure, three times, and print the median."""
    file, region, *options = sys.argv[1:]
    texts = json.loads(Path(file).read_text(encoding="utf-8"))
    if options:
        phonenumbers.enable_pattern_cache()
    rates = sorted(rows_a_second(texts, None if region == "none" else region) for _ in range(3))
    print(json.dumps({"package": package(), "rows_a_second": rates[1]}))


if __name__ == "__main__":
    main()
