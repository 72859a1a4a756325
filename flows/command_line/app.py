"""The command line: what every command shares, messages, exit codes and no tracebacks."""

import logging
import os
import traceback
from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError
from rich.console import Console

from globe_sms.flows.command_line.account_command import account
from globe_sms.flows.command_line.config_file import read_config_file
from globe_sms.flows.command_line.doctor_command import doctor
from globe_sms.flows.command_line.exit_codes import EXIT_INPUT, EXIT_SETTLED, EXIT_STOPPED
from globe_sms.flows.command_line.inquiry_commands import add_inquiries
from globe_sms.flows.command_line.policy_commands import add_policy
from globe_sms.flows.command_line.prefect_settings import set_prefect_defaults
from globe_sms.flows.command_line.retention_commands import forget, purge
from globe_sms.flows.command_line.send_command import SEND_EPILOGUE, send
from globe_sms.flows.command_line.track_command import TRACK_EPILOGUE, track
from globe_sms.tasks.vocabulary.errors import CampaignStoppedError, GlobeSmsError, InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in, mask_written
from globe_sms.tasks.vocabulary.proxies import keep_off_loopback

_TRACEBACK = "GLOBE_SMS_TRACEBACK"
_HELP = """\
Send one text message to a million people, once each, through Alibaba Cloud's
BatchSendMessageToGlobe.

A campaign is one message, one recipient list and one id. Running the same
command again resumes it: what was sent, or may have been, is not sent again.

Try it first, without any account:   globe-sms demo
Check what a campaign needs:         globe-sms doctor

Exit codes: 0 every row is settled; 1 stopped or crashed (run it again to go
on), or every number was refused; 2 bad input or configuration, or lists
without rows: nothing was sent; 3 finished, but some rows are unknown or not
sent (also when you answer no).
"""


def make_app() -> App:
    """Return the command line with what needs no deployment; `deployments.commands` adds the other commands."""
    app = App(
        name="globe-sms",
        help=_HELP,
        help_format="plaintext",
        default_parameter=Parameter(negative="", show_default=_worth_showing),
        version_flags=["--version"],
        version=_version,
        suppress_keyboard_interrupt=False,  # it would end the process with 130, before `run_app` can say what to do
    )
    app.command(send, name="send", help_epilogue=SEND_EPILOGUE, config=read_config_file)
    app.command(track, name="track", help_epilogue=TRACK_EPILOGUE, config=read_config_file)
    add_inquiries(app)
    app.command(account, name="account")
    app.command(doctor, name="doctor")
    add_policy(app)
    app.command(purge, name="purge")
    app.command(forget, name="forget")
    return app


def run_app(app: App, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; an error is a message on stderr, never a traceback."""
    set_prefect_defaults(os.environ)
    if os.environ.get(_TRACEBACK):
        logging.getLogger("globe_sms").addHandler(logging.StreamHandler())
    keep_off_loopback(os.environ)
    try:
        result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except (CycloptsError, InputError) as error:
        return _fail(EXIT_INPUT, _what_was_wrong(error))
    except CampaignStoppedError:
        return EXIT_STOPPED  # the report has said why
    except GlobeSmsError as error:
        return _fail(EXIT_STOPPED, str(error))
    except KeyboardInterrupt:
        return _fail(EXIT_STOPPED, "interrupted; run the same command again to go on")
    except Exception as error:  # noqa: BLE001  # the last guard against tracebacks at the terminal
        if os.environ.get(_TRACEBACK):
            traceback.print_exc()
        return _fail(
            EXIT_STOPPED,
            f"this should not have happened: {type(error).__name__}. What was recorded is kept: run the same "
            f"command again to go on. {_TRACEBACK}=1 shows where it happened.",
        )
    return result if isinstance(result, int) else EXIT_SETTLED


def _fail(code: int, message: str) -> int:
    console = Console(stderr=True, highlight=False)
    console.print(f"globe-sms: {message}", style="red" if console.is_terminal else "", markup=False, soft_wrap=True)
    return code


def _what_was_wrong(error: CycloptsError | InputError) -> str:
    if isinstance(error, UnusedCliTokensError):
        said = (
            f"{' '.join(error.unused_tokens or ())} belongs to no option: lists go before the options, and an option "
            "with several values is repeated for each of them. See --help."
        )
    else:
        said = str(error)
    # Cyclopts quotes what was typed, and that may be a phone number.
    return mask_numbers_in(mask_written(said)) if isinstance(error, CycloptsError) else said


def _worth_showing(default: Any) -> str | None:
    """Return a default as the help shows it; None for a switch or an empty value."""
    return None if not default or default is True else str(default)


def _version() -> str:
    from importlib.metadata import version

    return f"globe-sms {version('globe-sms')}"
