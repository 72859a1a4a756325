"""The whole laptop deployment: an S3 server and a sandbox gateway, with keys made for this run.

    with Sandbox() as sandbox:
        subprocess.run([...], env={**os.environ, **sandbox.environment})
        sandbox.gateway.stats()

Both servers listen on loopback only and end with the process that made the sandbox: when the `with` block ends, on
Ctrl-C, and also on SIGTERM, SIGKILL or a crash, because each server has a guard process (see `child_guard`).
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from globe_sms.deployments.sandbox.gateway.settings import Account, GatewaySettings
from globe_sms.deployments.sandbox.gateway_server import GatewayServer
from globe_sms.deployments.sandbox.s3_server import S3Server
from globe_sms.deployments.sandbox.stopped_at_exit import StoppedAtExit
from globe_sms.tasks.vocabulary.proxies import proxy_is_set, without_loopback


class Sandbox(StoppedAtExit):
    """An S3 server (`s3`), a sandbox gateway (`gateway`) with one account, and the environment for both."""

    def __init__(
        self,
        *,
        calls_per_second: int = 1,
        numbers_per_call: int = 250,
        log: Path | None = None,
        log_numbers: bool = True,
        log_messages: bool = False,
        bucket: str = "sandbox",
        others: Sequence[Account] = (),
        **account: Any,
    ) -> None:
        """Start both; `others` are more accounts, other options are the fields of the first (see `settings.Account`).

        Raises:
            InputError: the extra `sandbox` isn't installed.
            TimeoutError: a server didn't start.
        """
        self.account = Account(
            key_id=f"LTAISANDBOX{secrets.token_hex(6)}",
            secret=secrets.token_urlsafe(24),
            calls_per_second=calls_per_second,
            numbers_per_call=numbers_per_call,
            **account,
        )
        self.s3 = S3Server(bucket)
        try:
            self.gateway = GatewayServer(
                GatewaySettings(accounts=(self.account, *others), log_numbers=log_numbers, log_messages=log_messages),
                log=log,
            )
        except BaseException:
            self.s3.stop()
            raise

    @property
    def bucket(self) -> str:
        """The initial bucket."""
        return self.s3.bucket

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point globe-sms, AWS's tools and Alibaba's at the sandbox."""
        token = {"ALIBABA_CLOUD_SECURITY_TOKEN": self.account.token} if self.account.token else {}
        return {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.account.key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.account.secret,
            **token,
            "GLOBE_SMS_ENDPOINT": self.gateway.endpoint,
            **self.s3.environment,
            **(without_loopback(os.environ) if proxy_is_set(os.environ) else {}),
        }

    def stop(self) -> None:
        """Stop both and remove their files, except a log whose path was given; safe to call twice."""
        try:
            self.gateway.stop()
        finally:
            self.s3.stop()
