import signal
import subprocess
import sys

import pytest

from globe_sms.deployments import console_script
from globe_sms.flows.command_line.app import make_app, run_app


def test_ctrl_c_is_answered_whatever_a_command_is_at(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the parser of the command line would end the process by itself."""

    def read() -> None:
        raise KeyboardInterrupt

    app = make_app()
    app.command(read)
    assert run_app(app, ["read"]) == 1
    assert capsys.readouterr().err == "globe-sms: interrupted; run the same command again to go on\n"


class _Interrupts:
    """Ctrl-C while the command line is imported."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "globe_sms.deployments.commands":
            raise KeyboardInterrupt


def test_ctrl_c_before_all_is_imported_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first second or two of every command."""
    monkeypatch.delitem(sys.modules, "globe_sms.deployments.commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Interrupts, *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        console_script.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "globe-sms: interrupted before anything was done\n"


_HANGS_UP = """
import signal
from globe_sms.flows.command_line.hangup import end_on_hangup
end_on_hangup()
signal.raise_signal(signal.SIGHUP)
"""


@pytest.mark.parametrize("nohup", [False, True])
def test_sighup_ends_a_process_like_sigterm_unless_it_is_ignored(*, nohup: bool) -> None:
    """`nohup` means: not when the terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if nohup else signal.SIG_DFL)  # inherited by the process
    try:
        ended = subprocess.run([sys.executable, "-c", _HANGS_UP], check=False)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert ended.returncode == (0 if nohup else -signal.SIGTERM)
