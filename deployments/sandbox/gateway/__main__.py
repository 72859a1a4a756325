"""Runs the sandbox gateway: `python -m globe_sms.deployments.sandbox.gateway --config FILE --port P --log FILE`.

It's ready when `GET /_sandbox/health` answers. The config is `GatewaySettings` as JSON; it holds the secrets, so they
never appear in a process list. The gateway imitates BatchSendMessageToGlobe, version 2018-05-01, in the strictest
reading of the documentation; `signature_check.py` and `request_checks.py` list what is even stricter. Besides, the rate
applies to any sliding second, not on average, and a call with a refused parameter still counts.
"""

import argparse
import json
from pathlib import Path

import uvicorn

from globe_sms.deployments.sandbox.gateway.application import application
from globe_sms.deployments.sandbox.gateway.arrival_log import ArrivalLog
from globe_sms.deployments.sandbox.gateway.fault_rules import Faults
from globe_sms.deployments.sandbox.gateway.http_connection import ControlledProtocol
from globe_sms.deployments.sandbox.gateway.settings import GatewaySettings
from globe_sms.deployments.sandbox.gateway.timestamped_socket import TimestampedSocket

# The official SDK sends its parameters in the query: 1,000 texts of 500 Chinese characters in percent escapes.
_LONGEST_REQUEST_LINE = 8 * 1024 * 1024


def serve(settings: GatewaySettings, *, host: str, port: int, log: Path) -> None:
    """Serve until SIGTERM or SIGINT; arrivals are appended to `log`."""
    faults, arrivals = Faults(), ArrivalLog(log, log_numbers=settings.log_numbers)
    config = uvicorn.Config(
        application(settings, arrivals, faults),
        http=ControlledProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=_LONGEST_REQUEST_LINE,
    )
    uvicorn.Server(config).run(sockets=[TimestampedSocket.listening(host, port)])


def main() -> None:
    """Read the command line and serve on loopback."""
    parser = argparse.ArgumentParser(
        prog="python -m globe_sms.deployments.sandbox.gateway", description="The sandbox gateway."
    )
    parser.add_argument("--config", type=Path, required=True, help="GatewaySettings as a JSON file")
    parser.add_argument("--port", type=int, required=True, help="the loopback port to listen on")
    parser.add_argument("--log", type=Path, required=True, help="file for arrivals, one JSON object per line")
    options = parser.parse_args()
    settings = GatewaySettings.model_validate(json.loads(options.config.read_text()))
    serve(settings, host="127.0.0.1", port=options.port, log=options.log)


if __name__ == "__main__":
    main()
