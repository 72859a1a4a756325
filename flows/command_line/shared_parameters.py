"""The parameters that several commands have, each with one help text."""

from typing import Annotated

from cyclopts import Parameter

AccountBlock = Annotated[str | None, Parameter(help="An Alibaba account block. Default: the environment.")]
AwsBlock = Annotated[str | None, Parameter(help="An AWS or MinIO credentials block. Default: the environment.")]
Json = Annotated[bool, Parameter(help="The last line on stdout is one JSON object.")]
