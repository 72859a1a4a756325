"""A plain loop: one id after the other on one connection, until its time is over."""

import argparse
import os
import time

import httpx

from globe_sms.tasks.gateway import AcsV3Auth, credentials_from_default_chain
from globe_sms.tasks.gateway.query_message import parse_query_answer


def main() -> None:
    """Ask for the ids that the gateway's own log has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    endpoint = os.environ["GLOBE_SMS_ENDPOINT"]
    headers = {"accept": "application/json", "x-acs-action": "QueryMessage", "x-acs-version": "2018-05-01"}
    with (
        httpx.Client(trust_env=False, timeout=30.0) as control,
        httpx.Client(trust_env=False, timeout=30.0, headers=headers) as client,
        control.stream("GET", f"{endpoint}/_sandbox/deliveries") as records,
    ):
        auth = AcsV3Auth(credentials_from_default_chain())
        end = time.monotonic() + options.seconds
        for line in records.iter_lines():
            if time.monotonic() > end:
                break
            message_id = line.partition('"message_id":"')[2].partition('"')[0]
            answer = client.post(endpoint, data={"MessageId": message_id}, auth=auth)
            parse_query_answer(answer.status_code, answer.headers, answer.content, message_id)


if __name__ == "__main__":
    main()
