"""The client of BatchSendMessageToGlobe: knows nothing of Prefect or S3.

Every answer is a value: `Gateway.send` returns an `Outcome`, whose `Verdict` says whether anything may have been sent.
"""

from tasks.gateway.answers import Outcome, parse_answer
from tasks.gateway.client import Gateway
from tasks.gateway.codes import TABLE, Code, Verdict, look_up
from tasks.gateway.credentials import credentials_from_default_chain, fingerprint
from tasks.gateway.endpoint import Endpoint
from tasks.gateway.models import BatchSend, MessageType, check_sender_id
from tasks.gateway.regions import Region
from tasks.gateway.signature import AcsV3Auth, Credentials, CredentialsSource, authorization
from tasks.gateway.trial import try_out

__all__ = [
    "TABLE",
    "AcsV3Auth",
    "BatchSend",
    "Code",
    "Credentials",
    "CredentialsSource",
    "Endpoint",
    "Gateway",
    "MessageType",
    "Outcome",
    "Region",
    "Verdict",
    "authorization",
    "check_sender_id",
    "credentials_from_default_chain",
    "fingerprint",
    "look_up",
    "parse_answer",
    "try_out",
]
