"""A rival: the obvious loop, Alibaba's official SDK with a sleep of one second between two calls.

python -m tests.benchmarks.rival_sdk_loop --name N --calls 60 --first-number 6581000000 --numbers-per-call 250
"""

import json
import os
import time
from urllib.parse import urlsplit

from alibabacloud_dysmsapi20180501.client import Client
from alibabacloud_dysmsapi20180501.models import BatchSendMessageToGlobeRequest
from alibabacloud_tea_openapi.models import Config
from darabonba.exceptions import DaraException

from tests.benchmarks.measured_campaigns import MESSAGE
from tests.benchmarks.rival_options import numbers, parser, task_id


def main() -> None:
    """Make the calls, one after the other; a refused one is not tried again."""
    options = parser().parse_args()
    client = Client(
        Config(
            access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            endpoint=urlsplit(os.environ["GLOBE_SMS_ENDPOINT"]).netloc,
            protocol="HTTP",
        )
    )
    for call in range(options.calls):
        if call:
            time.sleep(1.0)
        request = BatchSendMessageToGlobeRequest(
            to=json.dumps(numbers(options, call)),
            message=json.dumps([MESSAGE] * options.numbers_per_call),
            type="NOTIFY",
            task_id=task_id(options, call),
        )
        try:
            client.batch_send_message_to_globe(request)
        except DaraException as error:
            print(f"call {call}: {error.code}")


if __name__ == "__main__":
    main()
