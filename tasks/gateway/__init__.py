"""The client of BatchSendMessageToGlobe; independent of Prefect and S3.

Every answer is a value: `Gateway.send` returns an `Outcome`, and its `CallVerdict` says whether anything may have been
sent.
"""

from globe_sms.tasks.gateway.answer_parsing import Outcome, parse_answer
from globe_sms.tasks.gateway.client import Gateway
from globe_sms.tasks.gateway.connection_test import check_connection
from globe_sms.tasks.gateway.credentials import credentials_from_default_chain, fingerprint
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.regions import Region
from globe_sms.tasks.gateway.request import (
    LONGEST_VALIDITY,
    SHORTEST_VALIDITY,
    BatchSend,
    MessageType,
    check_sender_id,
)
from globe_sms.tasks.gateway.response_codes import TABLE, CallVerdict, Code, classify_code
from globe_sms.tasks.gateway.signature import AcsV3Auth, Credentials, CredentialsSource, authorization

__all__ = [
    "LONGEST_VALIDITY",
    "SHORTEST_VALIDITY",
    "TABLE",
    "AcsV3Auth",
    "BatchSend",
    "CallVerdict",
    "Code",
    "Credentials",
    "CredentialsSource",
    "Endpoint",
    "Gateway",
    "MessageType",
    "Outcome",
    "Region",
    "authorization",
    "check_connection",
    "check_sender_id",
    "classify_code",
    "credentials_from_default_chain",
    "fingerprint",
    "parse_answer",
]
