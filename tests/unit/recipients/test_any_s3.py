"""What boto3 can read, polars reads, or boto3 fetches it; and a refusal of S3 is told in S3's own words."""

import gzip
import io
import json
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from globe_sms.tasks.recipients import check_unchanged, find_lists, read_lists, translate_errors
from globe_sms.tasks.store import S3Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from tests.strict_s3 import HOST, StrictS3, strict_s3

AWS = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_REQUEST_PAYER", "AWS_ENDPOINT_URL_S3", "NO_PROXY")
CSV, NDJSON = b"phone,x\n1,2\n2,3\n", b'{"phone": 1}\n{"phone": 2}\n'


@pytest.fixture(scope="module")
def running() -> Generator[StrictS3]:
    """One server for the module."""
    with strict_s3() as server:
        yield server


@pytest.fixture
def s3(running: StrictS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StrictS3:
    """Make the server as new, and the environment point to it and to no other account."""
    new = StrictS3(running.endpoint)
    for name in new.__dataclass_fields__:
        setattr(running, name, getattr(new, name))
    for name in AWS:
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
    return running


def read(*uris: str, access: Callable[[], S3Access] | None = None) -> list[str | None]:
    """Find and read lists as the flow does; return their recipients."""
    access = access or cache(S3Access.from_environment)
    sources = find_lists(uris, access)
    with translate_errors(sources, number_column=None, s3=access):
        rows = read_lists(sources, number_column=None, s3=access).collect(engine="streaming")
    check_unchanged(sources, access)
    return rows["recipient"].to_list()


def parquet() -> bytes:
    """Write a parquet list."""
    file = io.BytesIO()
    pl.DataFrame({"phone": ["1", "2"]}).write_parquet(file)
    return file.getvalue()


def read_by_polars(s3: StrictS3) -> bool:
    """Whether polars' own client has got anything."""
    return any("boto" not in agent.lower() for agent, _ in s3.served)


KEYS = {
    "plain": "lists/a b/c%20d+e%2Fé表😀&=#?[1].csv",
    "decomposed": "liste-e\u0301.csv",
    "an empty part": "a//b.csv",
    "a slash first": "/b.csv",
    "a slash last": "b/",
    "a dot": "a/./b.csv",
    "two dots": "a/../b.csv",
    "dots alone": "..",
    "a line break": "a\nb.csv",
    "a backslash": "a\\b.csv",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_taken_as_it_is(key: str, s3: StrictS3) -> None:
    """Never another object's: neither by its name nor under a prefix; every format, compressed or not."""
    for other in ("b.csv", "a/b.csv", "ab.csv", "b", "lists/a b/c d+e"):
        s3.put(other, b"phone\n999\n")
    access = cache(S3Access.from_environment)
    for body in (CSV, gzip.compress(NDJSON), parquet(), "phone,x\n1,é\n2,b\n".encode("utf-16")):
        uri = s3.put(key, body)
        assert read(f"{uri}*" if key.endswith("/") else uri, access=access) == ["1", "2"]
    s3.objects = {("lists", f"all/{key}"): CSV}
    assert read("s3://lists/all/", access=access) == ["1", "2"]


def test_a_fetched_list_is_explained_like_any_other(s3: StrictS3) -> None:
    """A fault in its rows, damaged compression, a change while it is read."""
    with pytest.raises(InputError, match=r"a//b\.csv: row 1 has more fields than there are columns"):
        read(s3.put("a//b.csv", gzip.compress(b"phone,x\n1,2\n1,2,3\n")))
    with pytest.raises(InputError, match=r"a//c\.csv: its gzip compression is damaged"):
        read(s3.put("a//c.csv", gzip.compress(CSV * 100_000)[:-9]))
    access = S3Access.from_environment()
    sources = find_lists([s3.put("a//d.csv", CSV)], lambda: access)
    s3.put("a//d.csv", CSV[:-1])
    with pytest.raises(InputError, match=r"a//d\.csv: it has changed since it was found"):
        check_unchanged(sources, lambda: access)


def test_many_lists_of_a_folder_are_checked_by_its_listing(s3: StrictS3) -> None:
    """One request instead of a HEAD for each; a change is still found, and those who may not list ask for each."""
    access = S3Access.from_environment()
    for number in range(30):
        s3.put(f"many/{number:02}.csv", CSV)
    sources = find_lists(["s3://lists/many/"], lambda: access)
    s3.served.clear()
    check_unchanged(sources, lambda: access)
    assert len(s3.served) == 1
    s3.refusals[""] = (403, "AccessDenied", "You may not list.")
    check_unchanged(sources, lambda: access)
    assert len(s3.served) == 1 + 1 + len(sources)
    s3.refusals.clear()
    s3.put("many/07.csv", CSV[:-1])
    with pytest.raises(InputError, match=r"many/07\.csv: it has changed since it was found"):
        check_unchanged(sources, lambda: access)


@pytest.mark.parametrize("form", [CSV, parquet()], ids=["csv", "parquet"])
def test_a_bucket_in_another_region_is_read_there(form: bytes, s3: StrictS3) -> None:
    """boto3 follows the redirect, and polars signs for the same region."""
    s3.region = "eu-west-9"
    assert read(s3.put("a.csv", form)) == ["1", "2"]
    assert read_by_polars(s3)


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_both_names_of_the_region_count(name: str, s3: StrictS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_REGION first, as for AWS's command line; a region that is given beats both."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    monkeypatch.setenv(name, "eu-west-9")
    s3.region = "eu-west-9"
    assert read(s3.put("a.csv", CSV)) == ["1", "2"]
    assert not any("redirect" in path for _, path in s3.served)
    assert S3Access.from_environment().region == "eu-west-9"
    assert S3Access.from_environment(region_name="eu-south-2").region == "eu-south-2"


@pytest.fixture
def virtual(s3: StrictS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StrictS3:
    """A server that wants the bucket in the host, such as Alibaba OSS, as a profile describes it."""
    s3.virtual_only = True
    monkeypatch.setenv("HTTP_PROXY", s3.endpoint)
    monkeypatch.setenv("http_proxy", s3.endpoint)
    monkeypatch.delenv("no_proxy", raising=False)
    (tmp_path / "AWS_CONFIG_FILE").write_text(
        f"[profile oss]\nregion = oss-cn-1\nendpoint_url = http://{HOST}\ns3 =\n    addressing_style = virtual\n"
    )
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_PROFILE", "oss")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "AWS_SHARED_CREDENTIALS_FILE").write_text(
        "[oss]\naws_access_key_id = key\naws_secret_access_key = secret\n"
    )
    return s3


def test_a_server_with_the_bucket_in_its_host_is_read(virtual: StrictS3) -> None:
    """By endpoint, region and addressing style of the profile; from two buckets at once."""
    uris = [virtual.put("a.csv", CSV), virtual.put("a//b.csv", CSV), virtual.put("c.csv", CSV, bucket="others")]
    assert read(*uris) == ["1", "2"] * 3
    assert read_by_polars(virtual)
    assert all(HOST in path for agent, path in virtual.served if "boto" not in agent.lower())


def test_without_the_setting_the_server_says_what_it_wants(s3: StrictS3) -> None:
    """And the message says where to set it."""
    s3.virtual_only = True
    with pytest.raises(InputError, match=r'addressing_style = virtual.*S3 says: "Please use virtual hosted style'):
        read(s3.put("a.csv", CSV))


@pytest.mark.parametrize("form", [CSV, NDJSON, gzip.compress(CSV), parquet()], ids=["csv", "ndjson", "gz", "parquet"])
def test_what_polars_own_client_cannot_get_is_fetched_by_boto3(form: bytes, s3: StrictS3) -> None:
    """It is tried once for a bucket."""
    s3.no_polars = True
    uris = [s3.put(f"{name}.csv", form) for name in "abc"]
    assert read(*uris) == ["1", "2"] * 3
    assert len({path for agent, path in s3.served if "boto" not in agent.lower()}) == 1


def test_a_requester_pays_bucket_is_read_once_its_cost_is_accepted(
    s3: StrictS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how."""
    s3.requester_pays = True
    uri = s3.put("a.csv", CSV)
    with pytest.raises(InputError, match=r'AWS_REQUEST_PAYER=requester \(S3 says: "Bucket is requester pays'):
        read(uri)
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    s3.served.clear()
    assert read(uri, "s3://lists/") == ["1", "2"]
    assert read_by_polars(s3)


@pytest.mark.parametrize("scheme", ["s3a", "s3n", "S3", "S3A"])
def test_other_names_of_the_scheme_count(scheme: str, s3: StrictS3) -> None:
    """The list's URI is s3:// from then on."""
    s3.put("lists/a.csv", CSV)
    access = S3Access.from_environment()
    for place in ("lists/a.csv", "lists/", "lists/*.csv"):
        (source,) = find_lists([f"{scheme}://lists/{place}"], lambda: access)
        assert source.uri == "s3://lists/lists/a.csv"


REFUSALS = {
    "KMS": (
        403,
        "AccessDenied",
        "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt",
        "kms:Decrypt",
    ),
    "a KMS key": (400, "KMS.DisabledException", "arn:aws:kms:eu-west-1:1:key/a is disabled.", "KMS key"),
    "expired": (400, "ExpiredToken", "The provided token has expired.", "token has expired: renew"),
    "clock": (403, "RequestTimeTooSkewed", "The difference between the request time and ...", "set the clock"),
    "region": (400, "IllegalLocationConstraintException", "The eu-west-1 location ...", "refused the request"),
    "archived": (403, "InvalidObjectState", "The operation is not valid for the storage class", "archived"),
    "anything": (418, "Teapot", "I am short and stout.", "Teapot"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("form", [CSV, parquet()], ids=["csv", "parquet"])
@pytest.mark.parametrize("late", [False, True], ids=["at once", "while it is read"])
def test_a_refusal_of_s3_is_told_and_never_blamed_on_the_format(
    case: tuple[int, str, str, str],
    form: bytes,
    late: bool,  # noqa: FBT001 - a parameter
    s3: StrictS3,
) -> None:
    """In one line: what it means, what to do, and S3's own sentence."""
    status, code, message, advice = case
    uri = s3.put("a.csv", form)
    access = S3Access.from_environment()
    if late:
        sources = find_lists([uri], lambda: access)
        s3.refusals["a.csv"] = (status, code, message)
        with pytest.raises(InputError) as caught, translate_errors(sources, number_column=None, s3=lambda: access):
            read_lists(sources, number_column=None, s3=lambda: access).collect(engine="streaming")
    else:
        s3.refusals["a.csv"] = (status, code, message)
        with pytest.raises(InputError) as caught:
            read(uri)
    said = str(caught.value)
    assert said.startswith(f"{uri}: ")
    assert len(said.splitlines()) == 1
    assert "parquet" not in said
    assert "CSV" not in said
    assert (advice in said and message in said) or late


def test_a_store_tells_what_s3_says_too(s3: StrictS3) -> None:
    """Here of a bucket with Object Lock."""
    message = "Object is WORM protected and cannot be overwritten"
    s3.refusals["out/a"] = (403, "AccessDenied", message)
    store = S3Store(S3Access.from_environment().client(), "lists", "out")
    with pytest.raises(StoreError, match=rf"access denied.*S3 says: \"{message}\""):
        store.get("a")


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("slip", ["\n", "\r", " ", "\u00a0", "\u200b"])
def test_a_slip_in_a_key_is_named(name: str, slip: str, s3: StrictS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the key."""
    monkeypatch.setenv(name, f"abc{slip}")
    with pytest.raises(InputError, match=rf"\({name}\) has a line break, a blank or an invisible character") as caught:
        read(s3.put("a.csv", CSV))
    assert "abc" not in str(caught.value)


def test_a_proxy_that_is_down_is_named(virtual: StrictS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_PROXY, which may be what is missing."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    access = S3Access.from_environment(client_config={"retries": {"total_max_attempts": 1}})
    with pytest.raises(InputError, match=r"proxy.*NO_PROXY"):
        find_lists([virtual.put("a.csv", CSV)], lambda: access)


def test_ndjson_and_its_json_are_what_was_written(s3: StrictS3) -> None:
    """As many rows as lines, in a fetched list."""
    lines = [json.dumps({"phone": str(number)}) for number in range(1_000)]
    assert read(s3.put("a//b", "\n".join(lines).encode())) == [str(number) for number in range(1_000)]
