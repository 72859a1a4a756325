"""What every rival is told on its command line, and the calls that it makes of it."""

import argparse


def parser() -> argparse.ArgumentParser:
    """Return a parser of the options that all rivals have."""
    made = argparse.ArgumentParser()
    made.add_argument("--name", required=True, help="its calls have the task ids <name>-<call>-1")
    made.add_argument("--calls", type=int, required=True)
    made.add_argument("--first-number", type=int, required=True)
    made.add_argument("--numbers-per-call", type=int, required=True)
    return made


def numbers(options: argparse.Namespace, call: int) -> tuple[str, ...]:
    """Return the numbers of one call."""
    first = options.first_number + call * options.numbers_per_call
    return tuple(str(number) for number in range(first, first + options.numbers_per_call))


def task_id(options: argparse.Namespace, call: int) -> str:
    """Return the task id of one call."""
    return f"{options.name}-{call}-1"
