"""A trial call that can't send: checks that the endpoint answers and accepts the key and its signature.

`QueryMessage` asks for an id that no message has. It needs the permission `dysms:QueryMessage`; a key without it is
distinguished from a wrong key.
Source: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2018-05-01-querymessage
"""

import time
from collections.abc import Callable
from typing import Final

import httpx

from globe_sms.tasks.gateway.answer_body import read_fields, read_text
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.request import VERSION
from globe_sms.tasks.gateway.response_codes import CallVerdict, classify_code
from globe_sms.tasks.gateway.signature import AcsV3Auth, CredentialsSource
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in
from globe_sms.tasks.vocabulary.network_faults import network_fault

QUERY: Final = "QueryMessage"
_UNUSED_ID: Final = "0"  # ids are longer, and never this
_SECONDS: Final = 15.0
_NOT_PERMITTED: Final = ("RAM_PERMISSION_DENY", "NoPermission", "Forbidden.RAM", "Forbidden.NoPermission")
_LONGEST_QUOTATION: Final = 200


def check_connection(
    endpoint: Endpoint,
    credentials: CredentialsSource,
    *,
    answered: Callable[[str | None, float, float], object] = lambda *_: None,
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Make the trial call and return a sentence about what it proved; sends no message.

    Only a campaign can prove that the key may call BatchSendMessageToGlobe. `answered` is told of any answer:
    its Date header, and the monotonic times of the request and the answer.

    Raises:
        InputError: the endpoint couldn't be reached, or it refused the key, the signature or the account.
    """
    auth = AcsV3Auth(credentials)
    asked = time.monotonic()
    try:
        with httpx.Client(
            transport=transport, trust_env=not endpoint.is_loopback, follow_redirects=False, timeout=_SECONDS
        ) as client:
            answer = client.post(
                endpoint.url,
                data={"MessageId": _UNUSED_ID},
                headers={"accept": "application/json", "x-acs-action": QUERY, "x-acs-version": VERSION},
                auth=auth,
            )
    except (httpx.HTTPError, OSError, ValueError, ImportError) as error:
        raise InputError(
            f"{endpoint} couldn't be reached ({network_fault(error)}): check the endpoint, the network and the proxy"
        ) from None
    answered(answer.headers.get("date"), asked, time.monotonic())
    fields = read_fields(answer.content) or {}
    business, gateway = read_text(fields.get("ResponseCode")), read_text(fields.get("Code"))
    code = business or gateway
    if code is None:
        raise InputError(
            f"{endpoint} answered HTTP {answer.status_code}, but not as the gateway does: check the endpoint"
        )
    if code.removeprefix("isv.").removeprefix("isp.").startswith(_NOT_PERMITTED):
        return (
            f"{endpoint} accepts the key and its signature. The key lacks dysms:{QUERY}, so nothing else could be "
            f"checked; sending needs only dysms:BatchSendMessageToGlobe."
        )
    row = classify_code(code, from_gateway=business is None, status=answer.status_code)
    if code.endswith("DATA_NOT_EXIST") or (business is not None and row.verdict is not CallVerdict.ACCOUNT):
        return f"{endpoint} accepts the key and its signature ({code}, as expected of a trial that sends nothing)."
    words = read_text(fields.get("Message")) or read_text(fields.get("ResponseDescription")) or ""
    raise InputError(
        f"{endpoint} answered {mask_numbers_in(code)[:100]}: {row.advice} "
        f"{mask_numbers_in(words)[:_LONGEST_QUOTATION]}".rstrip()
    )
