"""Any folder or prefix gives the rows of its lists, with everything else counted, or one InputError in one line.

`GLOBE_SMS_FUZZ=20000` tries as many places.
"""

import os
import tempfile
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from list_files import no_s3

from globe_sms.tasks.recipients import ListSource, find_lists, read_lists, translate_errors
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from tests.strict_s3 import StrictS3, strict_s3

EXAMPLES = settings(
    max_examples=int(os.environ.get("GLOBE_SMS_FUZZ", "25")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = st.one_of(
    st.sampled_from(
        ["a.csv", "b", "_a", "_temporary", ".b", ".globe-sms", "a~", "~$a", "a.crc", "a_manifest", "a.metadata", "x=1"]
    ),
    st.sampled_from(["_x=1", "Thumbs.db", "campaign.json", "plan.parquet", "plans", "results.parquet", "metadata"]),
    st.sampled_from(["_delta_log", "v1.metadata.json", ".hoodie", "part[1].csv", "*.csv", "a b+c%20d", "e\u0301", "é"]),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6),
)
BODIES = st.one_of(
    st.integers(0, 3).map(lambda rows: b"phone\n" + b"".join(b"%d\n" % row for row in range(rows))),
    st.sampled_from([b"", b"\n", b'{"phone": 1}\n', b"name\nAl\n", b"PAR1", b"\xff\xfe"]),
)
ENDS = st.sampled_from(["", "/", "/*", "/**", "/**/*", "/*.csv", "/_*", "/a*", "/?", "/x=*/*"])


def told(uri: str, access: Callable[[], S3Access]) -> tuple[tuple[ListSource, ...], int] | None:
    """Find and read lists; return them and their rows, None if they are refused in one line."""
    try:
        sources = find_lists([uri], access)
        with translate_errors(sources, number_column=None, s3=access):
            rows = read_lists(sources, number_column=None, s3=access).collect(engine="streaming")
    except InputError as error:
        said = str(error)
    else:
        assert rows["source"].is_in([source.uri for source in sources]).all()
        return sources, rows.height
    assert len(said.splitlines()) == 1
    return None


def check(found: tuple[tuple[ListSource, ...], int] | None, files: dict[str, bytes], place: str) -> None:
    """Every file of the place is read or told of, and every row of what is read is there."""
    if found is None:
        return
    sources, rows = found
    read = {source.uri for source in sources}
    passed_over = [source.passed_over for source in sources if source.passed_over is not None]
    unread = {uri for uri in files if uri.startswith(place) and uri not in read}
    assert not unread or passed_over
    bodies = [files[uri] for uri in read]
    assert rows == sum(body.count(b"\n") - (not body.startswith(b"{")) for body in bodies)


@EXAMPLES
@given(
    tree=st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map(tuple), BODIES, min_size=1, max_size=6), end=ENDS
)
def test_any_folder_is_read_or_explained(tree: dict[tuple[str, ...], bytes], end: str) -> None:
    """Whatever the names; what doesn't match a pattern isn't asked for."""
    with tempfile.TemporaryDirectory() as name:
        files: dict[str, bytes] = {}
        for parts, body in tree.items():
            path = Path(name, *parts)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
            except OSError:  # "..", or a folder where another name is a file
                continue
            if path.resolve().is_relative_to(Path(name).resolve()):
                files[os.path.abspath(path)] = body  # noqa: PTH100 - the path as the product writes it
        found = told(f"{name}{end}", no_s3)
        if end in {"", "/"}:
            check(found, files, name)


@pytest.fixture(scope="module")
def s3() -> Generator[tuple[StrictS3, Callable[[], S3Access]]]:
    """One server, and one access to it."""
    with strict_s3() as server, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_REQUEST_PAYER", "AWS_REGION"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            patch.setenv(name, "us-east-1")
        yield server, cache(S3Access.from_environment)


@EXAMPLES
@given(
    tree=st.dictionaries(
        st.lists(st.one_of(NAMES, st.sampled_from(["", ".", ".."])), min_size=1, max_size=3).map("/".join),
        BODIES,
        min_size=1,
        max_size=6,
    ),
    end=ENDS,
)
def test_any_prefix_is_read_or_explained(
    s3: tuple[StrictS3, Callable[[], S3Access]], tree: dict[str, bytes], end: str
) -> None:
    """Whatever the keys: the same as on disk, and never another object."""
    server, access = s3
    server.objects = {("lists", f"p/{key}"): body for key, body in tree.items()}
    found = told(f"s3://lists/p{end}", access)
    if end in {"", "/"}:
        check(found, {f"s3://lists/p/{key}": body for key, body in tree.items()}, "s3://lists/p/")
