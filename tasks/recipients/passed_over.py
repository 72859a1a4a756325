"""Tells by its name which file in a folder or prefix isn't a recipient list, on S3 as on disk.

Spark, Hive, EMR, Databricks, Redshift, Athena, editors and file browsers leave such files beside the data, and
uncommitted rows are under `_temporary/`. A campaign's folder is passed over as well, so results may be kept inside the
lists' folder. A table's folder is refused: its files still hold rows that were deleted from the table.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

# A name with `=` is a partition, as in Spark; dots alone are folders like others on S3.
_NO_LIST: Final = re.compile(
    r"_[^=]*|\.(?!\.?$).*|.*~|~\$.*|.*\.crc|.*_manifest|manifest|.*\.metadata|thumbs\.db|desktop\.ini|.*_\$folder\$",
    re.IGNORECASE | re.DOTALL,
)
_CAMPAIGN: Final = "campaign.json"
_BESIDE_IT: Final = re.compile(r"plan\.parquet|plans|results\.parquet")
_TABLES: Final = (
    (re.compile(r"(?:(.*)/)?_delta_log/[^/]*", re.DOTALL), "Delta"),
    (re.compile(r"(?:(.*)/)?metadata/[^/]*\.metadata\.json", re.DOTALL), "Iceberg"),
    (re.compile(r"(?:(.*)/)?\.hoodie/.*", re.DOTALL), "Hudi"),
    (re.compile(r"(?:(.*)/)?\.hoodie_partition_metadata", re.DOTALL), "Hudi"),
)
_UNREADABLE: Final = "Hudi"
TABLE_FOLDERS: Final = ("_delta_log/", "metadata/", ".hoodie/")
"""The folders beside a table's files that tell what it is."""
_IN_A_TABLE: Final = re.compile(r"[^/=]+=[^/]*|data|_change_data", re.DOTALL)


def find_table(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the folder and the kind of the first table among relative paths; None without one."""
    for name in names:
        for marks, kind in _TABLES:
            if found := marks.fullmatch(name):
                return found[1] or "", kind
    return None


def folders_above(folder: str) -> Iterator[str]:
    """Yield the folders above one, each with a slash at its end, as long as it may be a part of a table's folder."""
    above, _, name = folder.removesuffix("/").rpartition("/")
    while _IN_A_TABLE.fullmatch(name):
        yield f"{above}/" if above else ""
        above, _, name = above.rpartition("/")


def find_campaigns(names: Iterable[str]) -> frozenset[str]:
    """Return the folders of relative paths that hold a campaign; the empty name is the place they are relative to."""
    documents: set[str] = set()
    others: set[str] = set()
    for name in names:
        folder, _, last = name.rpartition("/")
        if last == _CAMPAIGN:
            documents.add(folder)
        elif _BESIDE_IT.fullmatch(last):
            others.add(folder)
        elif folder.endswith("/plans") or folder == "plans":
            others.add(folder.removesuffix("plans").rstrip("/"))
    return frozenset(documents & others)


def rule_of(pattern: str, campaigns: frozenset[str]) -> Callable[[str], str | None]:
    """Return a function that finds the part of a relative path that makes it passed over; None if it's a list.

    The part is a file's name or, with a slash at its end, a folder's. `pattern` is the glob after its last folder
    without wildcards, or empty; a name that one of its parts spells out, such as `_*.csv`, is not passed over.
    """
    spelt = [part for part in map(_spelt, pattern.split("/")) if part is not None]

    def part_passed_over(name: str) -> str | None:
        parts = name.split("/")
        for place, part in enumerate(parts, 1):
            whole = "/".join(parts[:place])
            end = "/" if place < len(parts) else ""
            if _NO_LIST.fullmatch(part) and not any(each.fullmatch(part) for each in spelt):
                return f"{whole}{end}"
            if end and whole in campaigns:
                return f"{whole}/"
        return name if "" in campaigns else None

    return part_passed_over


def _spelt(part: str) -> re.Pattern[str] | None:
    """Return what a part of a glob matches, if it begins with `_` or `.`, so that such names are wanted."""
    return re.compile(glob_to_regex(part), re.DOTALL) if part.startswith(("_", ".")) else None


def glob_to_regex(pattern: str) -> str:
    """Convert a glob to a regular expression: `*` and `?` stay within a folder, `**` doesn't."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meant.get(part) or re.escape(part) for part in parts)


def table_refusal(kind: str, place: str) -> str:
    """Say why a table's folder isn't read like other folders, and what to do."""
    what = f"it's {'an' if kind == 'Iceberg' else 'a'} {kind} table, whose files still hold deleted rows"
    if kind == _UNREADABLE:
        return (
            f"{what}, and globe-sms doesn't read such tables: export it to parquet or CSV (for example with DuckDB, "
            "Spark or Athena), and name what you exported"
        )
    return f"{what}: to read its current rows only, name it as a table, {kind.lower()}+{place}"


def all_passed_over(passed_over: Sequence[str], shown: int) -> str:
    """Say that everything in a folder or pattern was passed over."""
    more = f" and {len(passed_over) - shown:,} more" if len(passed_over) > shown else ""
    return (
        f"everything there was passed over, because of its name ({', '.join(passed_over[:shown])}{more}): to read a "
        "file all the same, name the file itself; otherwise check the path"
    )
