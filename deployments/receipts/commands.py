"""The commands `globe-sms receipts serve`, `pull` and `replies`."""

from typing import Annotated, Final

from cyclopts import App, Parameter
from rich.markup import escape

from globe_sms.flows.command_line.inquiry_commands import output_console, s3_of, write_json
from globe_sms.flows.command_line.shared_parameters import AwsBlock, Json
from globe_sms.flows.command_line.whole_numbers import whole_number
from globe_sms.tasks.store.open_store import open_existing

_SERVE_EPILOGUE: Final = """\
Environment: GLOBE_SMS_RECEIPTS_SECRET, at least 16 characters; AWS's own
variables for S3. In Alibaba's console enter this endpoint's public address,
with the secret as the last part of the path:

    https://sms.example.com/receipts/<secret>

A push is acknowledged once its receipts are in the store, never before.
GET /health reports the endpoint's state.
"""
_PULL_EPILOGUE: Final = """\
Environment: Alibaba's default credential chain; AWS's own variables for S3;
GLOBE_SMS_QUEUE_ENDPOINT and GLOBE_SMS_QUEUE_TOKEN_ENDPOINT, by default those
of accounts outside of mainland China, in Singapore.

A message is deleted once the store has it, never before. Run it as long as you
like, or --until-empty on a schedule. Needs the extra mns.
"""
_To = Annotated[str, Parameter(help="Where to keep receipts and replies: s3://bucket/prefix or a directory.")]


def receipts_app() -> App:
    """Return the commands of `globe-sms receipts`."""
    app = App(
        name="receipts", help="Receive the delivery receipts and replies that Alibaba has.", help_format="plaintext"
    )
    app.command(serve_receipts, name="serve", help_epilogue=_SERVE_EPILOGUE)
    app.command(pull_receipts, name="pull", help_epilogue=_PULL_EPILOGUE)
    app.command(show_replies, name="replies")
    return app


def serve_receipts(
    *,
    to: _To,
    host: Annotated[str, Parameter(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(converter=whole_number, help="The port to listen on.")] = 8080,
) -> int:
    """Receive the receipts and replies that Alibaba pushes, and store them, until Ctrl-C or SIGTERM.

    It serves plain HTTP: put a TLS proxy in front of it.
    """
    from globe_sms.deployments.receipts.serve import serve

    serve(to, host=host, port=port)
    return 0


def pull_receipts(
    *,
    queue: Annotated[
        str, Parameter(help="The queue's name in Alibaba's console, like Alicom-Queue-1234567890-GlobeSmsReport.")
    ],
    to: _To,
    message_type: Annotated[
        str | None,
        Parameter(help="What the queue has: GlobeSmsReport or SmsUp. Default: what its name ends in."),
    ] = None,
    own_queue: Annotated[
        bool, Parameter(help="The queue is one of your account, which your keys open without a token.")
    ] = False,
    until_empty: Annotated[bool, Parameter(help="End when the queue is empty.")] = False,
) -> int:
    """Take receipts and replies from Alibaba's message queue, and store them, until Ctrl-C or SIGTERM.

    They are kept like those that are pushed to `globe-sms receipts serve`.
    """
    from globe_sms.deployments.receipts.pull import pull

    pull(queue, to, message_type=message_type, own_queue=own_queue, until_empty=until_empty)
    return 0


def show_replies(
    receipts: Annotated[
        str, Parameter(name=["--receipts"], help="Where receipts and replies are kept (receipts serve or pull --to).")
    ],
    *,
    aws_credentials: AwsBlock = None,
    json: Json = False,
) -> None:
    """Show the latest replies to texts, with masked numbers, and how many people opted out by STOP.

    Nobody is left out of a campaign by this: the policy must name the list.
    """
    from globe_sms.deployments.receipts.show_replies import read_replies

    found = read_replies(open_existing(receipts, s3_of(aws_credentials), "--receipts"))
    if json:
        write_json(found.as_json())
        return
    console = output_console()
    if found.latest:
        console.print(found.table())
    for line in found.sentences():
        console.print(escape(line), soft_wrap=True)
