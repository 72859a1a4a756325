"""What preview and report say about opt-outs: rows that were passed over, people who opted out since the plan."""

from collections.abc import Iterator, Mapping
from typing import Final

from globe_sms.tasks.planning.left_out import LeftOutFigures
from globe_sms.tasks.vocabulary.plurals import counted

_MOST_LISTS: Final = 5


def left_out_sentences(figures: LeftOutFigures) -> Iterator[str]:
    """Yield a sentence for each thing that people must know."""
    if figures.passed_over:
        rows = counted(sum(figures.passed_over.values()), "row")
        yield (
            f"{rows} of the opt-out lists couldn't be read as a phone number and were passed over (--suppress-damaged "
            f"skip), so these people may be texted: {_by_list(figures.passed_over)}."
        )
    if figures.since_plan:
        numbers = counted(sum(figures.since_plan.values()), "number")
        yield f"{numbers} left out since the plan was made, and not texted: {_by_list(figures.since_plan)}."


def _by_list(counts: Mapping[str, int]) -> str:
    named = [f"{number:,} {name}" for name, number in list(counts.items())[:_MOST_LISTS]]
    more = len(counts) - _MOST_LISTS
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")
