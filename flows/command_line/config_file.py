"""`--config FILE`: options in a TOML file, by their names on the command line."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, ArgumentCollection, Parameter
from cyclopts.config import Dict

from globe_sms.tasks.vocabulary.errors import InputError

_OPTION: Final = "--config"
ConfigFile = Annotated[
    Path | None,
    Parameter(help="A TOML file with any of these options by name, like results = 'out'; the command line wins."),
]


def read_config_file(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Fill in from the file what the command line doesn't say, as a configuration source of cyclopts.

    Raises:
        InputError: the file can't be read, or isn't TOML.
        CycloptsError: it has a key or value that isn't an option's.
    """
    path = next((token.value for each in arguments if each.name == _OPTION for token in each.tokens), None)
    if path is None:
        return
    try:
        options = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{_OPTION} {path}: {error.strerror}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise InputError(f"{_OPTION} {path}: not a TOML file: {error}") from None
    except RecursionError:
        raise InputError(f"{_OPTION} {path}: not a TOML file: brackets nested too deep") from None
    for name, value in options.items():
        if isinstance(value, dict):
            raise InputError(f"{_OPTION} {path}: [{name}] is a table; write each option as a line of its own")
    # Under the command's name: among options at the top, cyclopts drops those that are called like a command (account).
    by_command: dict[str, Any] = options
    for name in reversed(commands):
        by_command = {name: by_command}
    Dict(by_command, source=path)(app, commands, arguments)
