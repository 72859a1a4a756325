"""S3 keys from a block of prefect-aws, by its fields."""

from collections.abc import Mapping
from typing import Any

import pytest

from globe_sms.tasks.runs.aws_credentials import open_s3
from globe_sms.tasks.vocabulary.errors import InputError

MINIO: dict[str, Any] = {
    "minio_root_user": "someone",
    "minio_root_password": "a-secret-0815",
    "region_name": "eu-central-1",
    "aws_client_parameters": {"endpoint_url": "http://127.0.0.1:9", "use_ssl": True, "verify": True},
    "block_type_slug": "minio-credentials",
}
AWS: dict[str, Any] = {
    "aws_access_key_id": "AKIAEXAMPLE",
    "aws_secret_access_key": "a-secret-0815",
    "aws_session_token": "a-token-0815",
    "profile_name": None,
    "region_name": "ap-southeast-1",
    "aws_client_parameters": {"api_version": None, "use_ssl": True, "verify": True, "endpoint_url": None},
}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


def has(slug: str, fields: Mapping[str, Any]) -> Any:
    return lambda wanted, _name: fields if wanted == slug else None


def test_a_minio_block_has_endpoint_region_and_keys_for_boto3_and_polars() -> None:
    s3 = open_s3("lists", has("minio-credentials", MINIO))
    assert (s3.endpoint, s3.region) == ("http://127.0.0.1:9", "eu-central-1")
    options = s3.polars_options()
    assert options["storage_options"]["aws_endpoint_url"] == "http://127.0.0.1:9"
    assert options["credential_provider"]()[0] == {
        "aws_access_key_id": "someone",
        "aws_secret_access_key": "a-secret-0815",
    }


def test_an_aws_block_has_its_session_token_too_and_its_region_decides_the_endpoint() -> None:
    s3 = open_s3("lists", has("aws-credentials", AWS))
    assert "ap-southeast-1" in s3.endpoint
    assert s3.polars_options()["credential_provider"]()[0]["aws_session_token"] == "a-token-0815"


def test_what_a_block_leaves_empty_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role of the machine, or variables, beside a block that only names the endpoint."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-machine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    block = {"aws_access_key_id": "", "aws_client_parameters": {"endpoint_url": "http://127.0.0.1:9"}}
    s3 = open_s3("lists", has("aws-credentials", block))
    assert s3.endpoint == "http://127.0.0.1:9"
    assert s3.polars_options()["credential_provider"]()[0]["aws_access_key_id"] == "of-the-machine"


@pytest.mark.parametrize(
    ("name", "value"),
    [("verify", False), ("verify_cert_path", "/ca.pem"), ("config", {"retries": 1}), ("use_ssl", False)],
)
def test_what_polars_cannot_keep_is_refused_by_name_and_without_the_secret(name: str, value: Any) -> None:
    """Left alone, boto3 would follow it and polars would not."""
    block = {**AWS, "aws_client_parameters": {name: value}}
    with pytest.raises(InputError, match=name) as caught:
        open_s3("lists", has("aws-credentials", block))
    assert "0815" not in str(caught.value)


def test_a_name_that_no_block_has_says_where_to_make_one() -> None:
    with pytest.raises(InputError, match=r"aws-credentials/lists or minio-credentials/lists"):
        open_s3("lists", lambda _slug, _name: None)
