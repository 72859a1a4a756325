"""S3 errors are explained in one line; URIs are split literally; small objects are written at once."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore import exceptions
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from globe_sms.tasks.store.s3_access import S3Access, explain_s3_error, s3_errors_name, split_uri
from globe_sms.tasks.vocabulary.errors import InputError

URL = {"endpoint_url": "http://127.0.0.1:9"}
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SAID = f"No,\n{SECRET} may not read lists/+6581234567.csv."


def refused(code: str, status: int) -> ClientError:
    """Return the error that boto3 raises for such an answer."""
    answer = {"Error": {"Code": code, "Message": SAID}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")  # pyright: ignore[reportArgumentType] - the stub asks for more fields


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused("NoSuchKey", 404), "object doesn't exist"),
        (refused("NoSuchBucket", 404), "bucket doesn't exist"),
        (refused("404", 404), "the object or the bucket doesn't exist"),
        (refused("AccessDenied", 403), "s3:GetObject"),
        (refused("403", 403), "access is denied"),
        (refused("SomethingNew", 403), "access is denied"),
        (refused("SignatureDoesNotMatch", 403), "AWS_SECRET_ACCESS_KEY"),
        (refused("InvalidAccessKeyId", 403), "AWS_ACCESS_KEY_ID"),
        (refused("PermanentRedirect", 301), "another region"),
        (refused("ExpiredToken", 400), "token has expired"),
        (refused("InvalidObjectState", 403), "archived"),
        (refused("RequestTimeTooSkewed", 403), "clock"),
        (refused("SlowDown", 503), "try again later"),
        (refused("Odd\nCode", 500), r"refused the request (Odd\nCode)"),
        (refused("", 500), "refused the request (500)"),
        (exceptions.NoCredentialsError(), "no AWS credentials"),
        (exceptions.EndpointConnectionError(**URL), "can't be reached"),
        (exceptions.ConnectTimeoutError(**URL), "can't be reached"),
        (exceptions.ReadTimeoutError(**URL), "didn't answer in time"),
        (exceptions.SSLError(**URL, error="x"), "TLS certificate"),
        (exceptions.ConnectionClosedError(**URL), "connection to the S3 endpoint broke"),
        (exceptions.ParamValidationError(report="secret"), "the bucket name or key isn't valid"),
        (exceptions.UnknownServiceError(service_name="secret", known_service_names="x"), "couldn't be made"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, Exception) else None,
)
def test_s3_errors_are_explained_in_one_line(error: Exception, expected: str) -> None:
    """The line says what to do and what S3 says, but neither secrets nor phone numbers."""
    line = explain_s3_error(error)
    assert expected in line
    assert len(line.splitlines()) == 1
    assert not any(hidden in line for hidden in ("secret", SECRET, "6581234567"))
    assert ('(S3 says: "No, •••• may not read lists/+65••••4567.csv.")' in line) is isinstance(error, ClientError)
    with pytest.raises(InputError) as caught, s3_errors_name("s3://bucket/a\nb"):
        raise error
    assert str(caught.value) == rf"s3://bucket/a\nb: {line}"


@pytest.mark.parametrize("said", ["", "Forbidden", "Unknown", "AccessDenied"])
def test_a_sentence_that_says_nothing_is_left_out(said: str) -> None:
    """Such as the status of a refused HEAD."""
    answer = {"Error": {"Code": "AccessDenied", "Message": said}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    error = ClientError(answer, "HeadObject")  # pyright: ignore[reportArgumentType] - the stub asks for more fields
    assert "S3 says" not in explain_s3_error(error)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("S3A://bucket/key", ("bucket", "key")),
        ("s3n://bucket/S3://x", ("bucket", "S3://x")),
        ("s3://bucket/key", ("bucket", "key")),
        ("s3://bucket/a/b//c?d#e%20 f", ("bucket", "a/b//c?d#e%20 f")),
        ("s3://bucket/", ("bucket", "")),
        ("s3://bucket", ("bucket", "")),
    ],
)
def test_a_uri_is_split_literally(uri: str, expected: tuple[str, str]) -> None:
    """No character of a key starts a query, a fragment or an escape."""
    assert split_uri(uri) == expected


@pytest.mark.parametrize("uri", ["s3:///key", "s3://", "gs://bucket/key", "/bucket/key", ""])
def test_other_uris_are_refused(uri: str) -> None:
    """The message shows how to write an S3 URI."""
    with pytest.raises(InputError, match="write s3://bucket/key"):
        split_uri(uri)


def test_credentials_are_never_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider that polars holds can't be written out."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "some-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "some-secret")
    options = S3Access.from_environment().polars_options()
    assert options["credential_provider"]()[0]["aws_secret_access_key"] == "some-secret"
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(options)


def test_only_files_ask_before_they_are_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A claim costs one round trip, not two; the body of a large file isn't sent to a server that refuses it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "some-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "some-secret")
    client = S3Access.from_environment("http://127.0.0.1:9").client()
    asked: list[bool] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked.append("Expect" in request.headers)
        return AWSResponse(request.url, 200, {"ETag": "some-version"}, urllib3.HTTPResponse(io.BytesIO()))

    client.meta.events.register("before-send.s3.PutObject", answer)
    client.put_object(Bucket="bucket", Key="key", Body=b"a claim")
    path = tmp_path / "plan.parquet"
    path.write_bytes(b"a plan")
    with path.open("rb") as file:
        client.put_object(Bucket="bucket", Key="key", Body=file)
    assert asked == [False, True]
