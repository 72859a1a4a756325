"""Run the demo and draw what it prints, as deployments/sandbox/demo.svg: `python -m tests.pictures.demo`.

It runs on a pseudo-terminal, so the picture shows what a person sees. What moves (the spinner, the bar) is gone at the
end, as it is in a terminal. The demo takes some 20 seconds.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

ROOT: Final = Path(__file__).parents[2]
PICTURE: Final = ROOT / "deployments" / "sandbox" / "demo.svg"
_COLUMNS: Final = 110
_ESCAPE: Final = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def recorded() -> tuple[str, int]:
    """Run `globe-sms demo` on a pseudo-terminal; return what it wrote and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 200, _COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(_COLUMNS), "LINES": "200"}
    child = subprocess.Popen(
        [Path(sys.executable).with_name("globe-sms"), "demo"],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=ROOT,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # the terminal is closed once the demo has ended
            break
        if not part:
            break
        written += part
    os.close(ours)
    return written.decode(errors="replace"), child.wait()


def last_screen(written: str) -> list[str]:
    """Return the lines that stand in the terminal at the end, with their colours as escape sequences."""
    lines, row, at = [""], 0, 0
    while at < len(written):
        found = _ESCAPE.match(written, at)
        if found is not None:
            count, command = found[1], found[2]
            at = found.end()
            if command == "A":
                row = max(0, row - int(count or 1))
            elif command == "K":
                lines[row] = ""
            elif command == "m":
                lines[row] += found[0]
            continue
        letter = written[at]
        at += 1
        if letter == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif letter != "\r":
            lines[row] += letter
        elif at < len(written) and written[at] != "\n":
            lines[row] = ""
    return [line.rstrip() for line in lines]


def shortened(lines: list[str]) -> list[str]:
    """Leave out the middle of the preview, from the end of its first table to the report."""
    plain = [_ESCAPE.sub("", line).strip() for line in lines]
    first = next(at for at, line in enumerate(plain) if line.startswith("all "))
    report = max(at for at, line in enumerate(plain) if line.startswith("Campaign "))
    return [*lines[: first + 1], "", "  ... examples of each reason; countries ...", "", *lines[report:]]


def draw(lines: list[str]) -> str:
    """Return the lines as SVG."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=_COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text("$ make demo", style="bold"))
        console.print(Text.from_ansi("\n".join(lines)), overflow="fold")
        # Without an address to fetch fonts from: looking at the picture asks no other host.
        drawn = console.export_svg(title="globe-sms", theme=SVG_EXPORT_THEME, unique_id="demo")
    return re.sub(r"\s*@font-face \{.*?\}\s*(?=@font-face|\.)", "\n", drawn, flags=re.DOTALL)


if __name__ == "__main__":
    output, code = recorded()
    if code != 0:
        sys.stderr.write(output)
        sys.exit(f"the demo ended with exit code {code}; {PICTURE.relative_to(ROOT)} stays as it was")
    PICTURE.write_text(draw(shortened(last_screen(output))), encoding="utf-8")
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}\n")
