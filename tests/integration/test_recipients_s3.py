"""Lists on a real S3 server: found, read, refused, checked for changes."""

import gzip
import io
import json
import os
import sys
import tempfile
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from globe_sms.deployments.sandbox.child_process import GRPC_OFFSET, Child, free_ports
from globe_sms.deployments.sandbox.s3_server import S3Server, find_program
from globe_sms.tasks.planning.prefix_override_table import read_overrides
from globe_sms.tasks.recipients import (
    COUNTRY,
    PassedOver,
    ReadOptions,
    check_unchanged,
    find_lists,
    open_lists,
    read_lists,
    rows_of,
    translate_errors,
)
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError
from tests.integration.objects_on_s3 import Put
from tests.unit.recipients.lakes import delete_from_delta, delta_table, iceberg_table
from tests.waiting import await_event

pytestmark = pytest.mark.usefixtures("only_this_server")


def read(*uris: str) -> list[tuple[Any, ...]]:
    """Find and read lists like the flow, which uses one client for all requests."""
    s3 = cache(S3Access.from_environment)
    sources = find_lists(uris, s3)
    with translate_errors(sources, number_column=None, s3=s3):
        frame = read_lists(sources, number_column=None, s3=s3).collect(engine="streaming")
    check_unchanged(sources, s3)
    return frame.rows()


def parquet(*numbers: int) -> bytes:
    """Write a parquet list."""
    file = io.BytesIO()
    pl.DataFrame({"phone": numbers}).write_parquet(file)
    return file.getvalue()


def test_objects_prefixes_and_globs_are_expanded(put: Put, prefix: str) -> None:
    """In the order given, sorted within each, without repetitions; marker files of Spark are skipped."""
    first = put("lists/b.csv", b"phone\n1\n2\n")
    second = put("lists/a/deep.csv.gz", gzip.compress(b"phone\n3\n"))
    third = put("lists/c.parquet", parquet(4))
    put("lists/", b"")
    put("lists/a/", b"")
    put("lists/_SUCCESS", b"")
    put("lists-of-others.csv", b"phone\n9\n")
    rows = {first: [(first, 0, "1"), (first, 1, "2")], second: [(second, 0, "3")], third: [(third, 0, "4")]}
    everything = rows[second] + rows[first] + rows[third]
    assert read(first) == rows[first]
    assert read(f"{prefix}/lists/") == everything
    assert read(f"{prefix}/lists") == everything
    assert read(f"{prefix}/lists/*.csv") == rows[first]
    assert read(f"{prefix}/lists/**/*.csv*") == rows[second] + rows[first]
    assert read(f"{prefix}/lists/?.*") == rows[first] + rows[third]
    assert read(third, f"{prefix}/lists/", first) == rows[third] + rows[second] + rows[first]


def test_what_is_no_list_by_its_name_is_passed_over_and_counted(put: Put, prefix: str) -> None:
    """Uncommitted rows of Spark, manifests, and a campaign's folder: as on disk, in a prefix and in a glob."""
    first, second = put("lists/a.csv", b"phone\n1\n"), put("lists/day=1/b.csv", b"phone\n2\n")
    names = ("_SUCCESS", "_temporary/0/part.csv", "list.csv~", "q.csv.metadata", "c/campaign.json", "c/plan.parquet")
    for name in names:
        put(f"lists/{name}", b"phone\n9\n")
    for uri in (f"{prefix}/lists/", f"{prefix}/lists", f"{prefix}/lists/**/*"):
        sources = find_lists([uri], S3Access.from_environment)
        assert [source.uri for source in sources] == [first, second]
        told = PassedOver(uri, 5, ("_SUCCESS", "_temporary/", "c/", "list.csv~", "q.csv.metadata"))
        assert sources[0].passed_over == told
    assert read(put("lists/_named.csv", b"phone\n3\n"))[0][2] == "3"


@pytest.mark.parametrize(
    ("sign", "advice"),
    [
        ("_delta_log/0.json", r"delta\+s3://"),
        ("metadata/v1.metadata.json", r"iceberg\+s3://"),
        (".hoodie/hoodie.properties", "export it to parquet or CSV"),
    ],
)
def test_a_tables_folder_is_refused(sign: str, advice: str, put: Put, prefix: str) -> None:
    """Also by a glob that doesn't match what tells that it is one, or by a partition."""
    put(f"tables/t1/{sign}", b"{}")
    put("tables/t1/day=1/part.parquet", parquet(1))
    uri = put("tables/t1/part.parquet", parquet(1))
    for place in ("tables/", "tables/t1", "tables/t1/p*", "tables/*/*.parquet", "tables/t1/day=1", "tables/t1/day=1/*"):
        with pytest.raises(InputError, match=rf"{prefix}/tables/t1: it's an? \w+ table.*{advice}"):
            read(f"{prefix}/{place}")
    assert read(uri) == [(uri, 0, "1")]


def test_a_delta_table_is_read_at_the_version_it_had_when_it_was_found(put: Put, prefix: str, tmp_path: Path) -> None:
    """Without the row that was deleted from it."""
    place = tmp_path / "members"
    delta_table(str(place), partition_by=["country"])
    delete_from_delta(str(place))
    for path in sorted(place.rglob("*")):
        if path.is_file():
            put(f"members/{path.relative_to(place)}", path.read_bytes())
    uri = f"delta+{prefix}/members"
    assert sorted(number for _, _, number in read(uri)) == ["+6581234561", "+6581234563"]


def test_an_iceberg_table_is_read_without_its_deleted_rows(s3_server: S3Server, prefix: str) -> None:
    settings = {
        "s3.endpoint": s3_server.environment["AWS_ENDPOINT_URL"],
        "s3.access-key-id": s3_server.access_key,
        "s3.secret-access-key": s3_server.secret_key,
        "s3.region": s3_server.environment["AWS_REGION"],
    }
    with iceberg_table(prefix, **settings) as table:
        table.delete("name = 'Bert'")
    uri = f"iceberg+{prefix}/crm/members"
    assert read(uri) == [(uri, 0, "+6581234561"), (uri, 1, "+6581234563")]


def test_folders_of_a_partitioned_parquet_list_are_columns(put: Put, prefix: str) -> None:
    """As Redshift unloads it, with its manifest; also of a file that boto3 fetches, whose copy has another path."""
    put("sms/country=SG/day=2026-11-30/0000_part_00.parquet", parquet(81234567))
    put("sms/country=MY//day=2026-12-01/0001_part_00.parquet", parquet(123456789))
    put("sms/manifest", b"{}")
    s3 = cache(S3Access.from_environment)
    found = find_lists([f"{prefix}/sms/"], s3, options=ReadOptions(finds_region=True))
    opened = open_lists(found, number_column=None, s3=s3, columns=("day",))
    rows = rows_of(opened, s3=s3, columns=("day",)).collect(engine="streaming")
    assert rows.select("recipient", "day", COUNTRY).rows() == [
        ("123456789", "2026-12-01", "MY"),
        ("81234567", "2026-11-30", "SG"),
    ]


@pytest.mark.parametrize(
    "key", ["with space+&%.csv", "liste-é-表.csv", "list[1].csv", "star*.csv", "what?.csv", "a=b/c#d"]
)
@pytest.mark.parametrize("body", [b"phone,x\n1,2\n", b'{"phone": 1}\n', parquet(1)], ids=["csv", "ndjson", "parquet"])
def test_keys_are_taken_literally(key: str, body: bytes, put: Put, prefix: str) -> None:
    """An existing key is that object, whatever characters it contains; under a prefix too."""
    uri = put(key, body)
    assert read(uri) == [(uri, 0, "1")]
    other = put(key.replace("[", "").replace("*", "x").replace("?", "y") + ".2", body)
    assert sorted(read(f"{prefix}/")) == sorted([(uri, 0, "1"), (other, 0, "1")])


def test_identity_is_taken_and_compared(put: Put) -> None:
    """The message names a list that was replaced between finding and checking."""
    kept, replaced = put("kept.csv", b"phone\n1\n"), put("replaced.csv", b"phone\n1\n")
    sources = find_lists([kept, replaced], S3Access.from_environment)
    assert all(source.identity.startswith(("etag ", "version ")) for source in sources)
    check_unchanged(sources, S3Access.from_environment)
    put("replaced.csv", b"phone\n2\n")
    with pytest.raises(InputError, match=r"replaced\.csv: it has changed since it was found"):
        check_unchanged(sources, S3Access.from_environment)


def test_a_list_that_disappears_before_it_is_read_is_named(put: Put, s3_access: S3Access) -> None:
    """The line names the right URI; polars itself would name the first list's."""
    uris = [put(name, b"phone\n1\n") for name in ("a.csv", "b.csv")]
    sources = find_lists(uris, lambda: s3_access)
    frame = read_lists(sources, number_column=None, s3=lambda: s3_access)
    bucket, key = uris[1].removeprefix("s3://").split("/", 1)
    s3_access.client().delete_object(Bucket=bucket, Key=key)
    with (
        pytest.raises(InputError, match=r"^s3://tests/\w+/b\.csv: it has changed since it was found") as caught,
        translate_errors(sources, number_column=None, s3=lambda: s3_access),
    ):
        frame.collect(engine="streaming")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("{prefix}/none.csv", "{prefix}/none.csv: no object or folder has this name"),
        ("{prefix}/none/", "{prefix}/none/: no objects have this prefix"),
        ("{prefix}/none/*.csv", r"{prefix}/none/\*.csv: no object matches this pattern"),
        ("{prefix}/empty", "{prefix}/empty/nothing.csv: it is empty"),
        ("{prefix}/broken.parquet", "{prefix}/broken.parquet: it isn't a readable parquet"),
        ("s3://no-such-bucket/list.csv", "s3://no-such-bucket/list.csv: the bucket doesn't exist"),
        ("s3://no-such-bucket/", "s3://no-such-bucket/: the bucket doesn't exist"),
        ("s3://Not A Bucket/x", "the bucket name or key isn't valid"),
        ("s3://te*/x", "a bucket's name can't have wildcards"),
        ("s3:///x", "the bucket is missing"),
    ],
)
def test_an_unreadable_list_is_explained_in_one_line(uri: str, expected: str, put: Put, prefix: str) -> None:
    """The URI, what's wrong with it, and what to do."""
    put("sound.csv", b"phone\n1\n")
    put("empty/nothing.csv", b"")
    put("broken.parquet", parquet(*range(100))[:-7])
    with pytest.raises(InputError, match=expected.format(prefix=prefix)) as caught:
        read(f"{prefix}/sound.csv", uri.format(prefix=prefix))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "not-the-secret"}, "list.csv: the S3 server rejected the signature"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "list.csv: the S3 server doesn't know this access key ID"),
        ({"AWS_ACCESS_KEY_ID": None}, "the AWS credentials are incomplete|no AWS credentials were found"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no AWS credentials were found"),
        ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE names a profile that doesn't exist"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "list.csv: the S3 endpoint can't be reached"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "the AWS configuration can't be used"),
    ],
)
def test_failed_access_is_explained(
    variables: dict[str, str | None], expected: str, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong keys, no keys, no server: one line without secrets."""
    uri = put("list.csv", b"phone\n1\n")
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=expected) as caught:
        read(uri)
    assert len(str(caught.value).splitlines()) == 1
    assert secret not in str(caught.value)
    assert "not-the-secret" not in str(caught.value)


def test_a_profile_with_keys_that_expire_serves_boto3_and_polars(
    put: Put, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The profile gives endpoint, region and a credential process; polars asks for the keys again."""
    uri = put("list.csv", b"phone\n1\n")
    answer = tmp_path / "answer.json"
    answer.write_text(
        f'{{"Version": 1, "AccessKeyId": "{s3_server.access_key}", "SecretAccessKey": "{s3_server.secret_key}", '
        '"Expiration": "2099-01-01T00:00:00Z"}'
    )
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        f"[profile list]\nregion = us-east-1\nendpoint_url = {s3_server.endpoint}\ncredential_process = cat {answer}\n"
    )
    for name in s3_server.environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "list")
    assert read(uri) == [(uri, 0, "1")]
    keys, ask_again = S3Access.from_environment().polars_options()["credential_provider"]()
    assert keys["aws_access_key_id"] == s3_server.access_key
    assert ask_again is not None


def test_access_shows_no_secret(s3_access: S3Access, s3_server: S3Server) -> None:
    """Neither its repr nor the options it gives to polars."""
    shown = f"{s3_access!r} {s3_access.polars_options()!r}"
    assert s3_server.endpoint in shown
    assert s3_server.secret_key not in shown
    assert s3_server.access_key not in shown


def test_a_long_list_streams_to_a_file(put: Put, tmp_path: Path) -> None:
    """All rows arrive in order, from plain and compressed lists read together."""
    numbers = [f"+65{number:08}" for number in range(200_000)]
    body = "phone,x\n" + "".join(f'{number},"a, ""b"""\n' for number in numbers)
    uris = [put("a.csv", body.encode()), put("b.csv", gzip.compress(body.encode())), put("c.csv", body.encode())]
    s3 = S3Access.from_environment
    sources = find_lists(uris, s3)
    with translate_errors(sources, number_column=None, s3=s3):
        read_lists(sources, number_column=None, s3=s3).sink_parquet(tmp_path / "plan.parquet", engine="streaming")
    plan = pl.read_parquet(tmp_path / "plan.parquet")
    assert plan["recipient"].to_list() == numbers * 3
    assert plan["row"].to_list() == list(range(200_000)) * 3
    assert plan["source"].unique(maintain_order=True).to_list() == uris


@pytest.fixture
def reader(only_this_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:  # noqa: ARG001 - its environment comes first
    """Start a separate server, as a user who may read and list the bucket `open`, and list `listed`."""
    keys = {"admin": ["Admin", "Read", "Write", "List"], "reader": ["Read:open", "List:open", "List:listed"]}
    identities = [
        {"name": name, "credentials": [{"accessKey": name, "secretKey": f"{name}-secret"}], "actions": actions}
        for name, actions in keys.items()
    ]
    (tmp_path / "identities.json").write_text(json.dumps({"identities": identities}))
    folder = Path(tempfile.mkdtemp(prefix="globe-sms-s3-"))  # its path goes into socket paths, which must be short
    names = ("s3", "master", "volume", "filer", "admin")
    ports = dict(zip(names, free_ports(5, with_grpc=True), strict=True))
    command = [
        *(find_program(python=Path(sys.executable)), "mini", f"-dir={folder}", "-bucket=open"),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", *(f"-{name}.port={port}" for name, port in ports.items())),
        *("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        *("-s3.autoCreateBucket=false", f"-s3.config={tmp_path / 'identities.json'}"),
        *(f"-filer.localSocket={folder}/f.sock", f"-s3.localSocket={folder}/s.sock"),
    ]
    sockets = [Path(f"/tmp/seaweedfs-{name}-grpc-{port + GRPC_OFFSET}.sock") for name, port in ports.items()]  # noqa: S108 - where the server puts them
    child = Child(
        command,
        environment={"TMPDIR": str(folder), "HOME": str(folder)},
        output=folder / "weed.out",
        remove=[folder, *sockets],
        folder=folder,
    )
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports['s3']}")
        _be("admin", monkeypatch)
        client = S3Access.from_environment().client()
        await_event(lambda: _takes_objects(client), "the S3 server's start")
        for bucket in ("listed", "closed"):
            client.create_bucket(Bucket=bucket)
        for bucket in ("open", "listed", "closed"):
            client.put_object(Bucket=bucket, Key="lists/list.csv", Body=b"phone\n1\n")
        _be("reader", monkeypatch)
        yield
    finally:
        child.stop()


def _be(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", name)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{name}-secret")


def _takes_objects(client: Any) -> bool:
    try:
        client.put_object(Bucket="open", Key="ready", Body=b"")
        client.delete_object(Bucket="open", Key="ready")
    except (BotoCoreError, ClientError):
        return False
    return True


@pytest.mark.slow
@pytest.mark.usefixtures("reader")
def test_access_that_is_denied_is_named() -> None:
    """Access to the object, to its bucket's listing, or to both."""
    assert read("s3://open/lists/") == [("s3://open/lists/list.csv", 0, "1")]
    denied = {
        "s3://closed/lists/list.csv": "s3://closed/lists/list.csv",
        "s3://closed/lists/": "s3://closed/lists/",
        "s3://closed/lists/*.csv": "s3://closed/lists/*.csv",
        "s3://listed/lists/": "s3://listed/lists/list.csv",
    }
    for uri, named in denied.items():
        with pytest.raises(InputError) as caught:
            read("s3://open/lists/list.csv", uri)
        assert str(caught.value).startswith(f"{named}: access is denied: these credentials need s3:GetObject")
        assert len(str(caught.value).splitlines()) == 1


def test_a_table_of_prefixes_may_be_on_s3(put: Put) -> None:
    """It's read like a list, compressed or not; the message about a bad row names the object."""
    uri = put("overrides/prefixes.csv.gz", gzip.compress(b"prefix,mobile\n+65 7,yes\n658,no\n"))
    assert read_overrides(uri, S3Access.from_environment).mobile == {"657": True, "658": False}
    bad = put("overrides/bad.csv", b"prefix,mobile\n657,yes\n658,?\n")
    with pytest.raises(InputError, match=rf"{bad}: row 1 says neither yes nor no"):
        read_overrides(bad, S3Access.from_environment)
