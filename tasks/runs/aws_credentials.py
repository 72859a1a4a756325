"""S3 credentials from a block of prefect-aws, read without that package.

Its two block types come with Prefect's server, so operators can fill them in without it; this module reads them.
prefect-aws can be installed beside (deployments/README.md), but only with a botocore older than the locked one.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from globe_sms.tasks.runs.read_block import read_block
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

_AWS: Final = "aws-credentials"
_MINIO: Final = "minio-credentials"


class _ClientParameters(BaseModel):
    """The settings that boto3 and polars both support; the others must have their defaults."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    endpoint_url: str | None = None
    use_ssl: bool = True
    verify: bool | str | None = True
    verify_cert_path: str | None = None
    config: Mapping[str, Any] | None = None
    api_version: str | None = None

    @model_validator(mode="after")
    def _alike_for_both(self) -> Self:
        # With an endpoint its own scheme decides, as in boto3.
        changed = {
            "use_ssl": not self.use_ssl and self.endpoint_url is None,
            "verify": self.verify not in {True, None},
            "verify_cert_path": bool(self.verify_cert_path),
            "config": bool(self.config),
        }
        for name, is_changed in changed.items():
            if is_changed:
                raise ValueError(
                    f"aws_client_parameters.{name} can't be used by every reader: leave its default (for a "
                    "certificate of your own, set AWS_CA_BUNDLE on the worker)"
                )
        return self


class _AwsBlock(BaseModel):
    """The fields of both types under one name each."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    key_id: str | None = None
    secret: SecretStr | None = None
    token: SecretStr | None = Field(default=None, alias="aws_session_token")
    profile_name: str | None = None
    region_name: str | None = None
    assume_role_arn: Annotated[str | None, Field(max_length=0)] = None
    parameters: _ClientParameters = Field(default_factory=_ClientParameters, alias="aws_client_parameters")

    @model_validator(mode="before")
    @classmethod
    def _one_name_each(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {name: value for name, value in fields.items() if value is not None and value != ""}
        renamed = {
            "key_id": given.get("aws_access_key_id") or given.get("minio_root_user"),
            "secret": given.get("aws_secret_access_key") or given.get("minio_root_password"),
        }
        return {**given, **renamed}


def open_s3(block: str | None, read: Callable[[str, str], Mapping[str, Any] | None] = read_block) -> S3Access:
    """Return the access to S3: by the AWS or MinIO credentials block of that name, or by the environment.

    Empty fields come from the environment, by boto3's own rules. `read` returns a block's fields by its type and
    name.

    Raises:
        InputError: the block doesn't exist or has settings that can't be used, or no credentials were found.
    """
    if block is None:
        return S3Access.from_environment()
    found = read(_AWS, block)
    if found is None:
        found = read(_MINIO, block)
    if found is None:
        raise InputError(
            f"--aws-credentials {block!r}: the Prefect server has no block {_AWS}/{block} or {_MINIO}/{block}: "
            "create it in the UI (Blocks, AWS Credentials or MinIO Credentials)"
        )
    try:
        held = _AwsBlock.model_validate(dict(found))
    except ValidationError as error:
        wrong = "; ".join(str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors())
        raise InputError(f"the AWS credentials block {block!r} can't be used: {wrong}") from None
    return S3Access.from_environment(
        held.parameters.endpoint_url,
        aws_access_key_id=held.key_id,
        aws_secret_access_key=_clear(held.secret),
        aws_session_token=_clear(held.token),
        region_name=held.region_name,
        profile_name=held.profile_name,
    )


def _clear(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
