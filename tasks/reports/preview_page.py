"""The preview as a page: what would be sent to whom, which rows are left out, how it reads, how long it takes."""

from textwrap import shorten
from typing import Final

from globe_sms.tasks.campaign.campaign_json import NoLists
from globe_sms.tasks.numbers.countries import country
from globe_sms.tasks.planning.hours_forecast import HoursForecast
from globe_sms.tasks.reports.cost_table import cost_table
from globe_sms.tasks.reports.left_out_sentences import left_out_sentences
from globe_sms.tasks.reports.page_blocks import Block, Notes, Page, Quote, Words
from globe_sms.tasks.reports.preview import Preview, Ucs2
from globe_sms.tasks.reports.preview_tables import MOST_COUNTRIES, countries_table, groups_table, refused_notes
from globe_sms.tasks.reports.repeated_texts import repeats_sentence
from globe_sms.tasks.reports.text_figures import texts_table
from globe_sms.tasks.reports.what_was_read import reading_notes
from globe_sms.tasks.vocabulary.durations import in_words, moment
from globe_sms.tasks.vocabulary.plurals import counted

_LONGEST_TEXT: Final = 200  # in the question, above its fields
_MOST_LISTS: Final = 5
_MOST_OPENINGS: Final = 5
_CHANGED: Final = "Changed since the last plan of this campaign, from which nothing was sent"
_TEST: Final = "A test: your own numbers get the messages of the first rows, and nobody on the lists gets anything."


def preview_page(preview: Preview) -> Page:
    """Return the preview as a page."""
    return Page(f"Preview of {preview.campaign}", tuple(_blocks(preview)))


def question_page(preview: Preview, *said: Block) -> Page:
    """Return the preview in short, for the question whether to send it; `said` comes last, such as a link.

    It has no title and no tables: the fields of the answer are below it, and must be seen without scrolling.
    """
    first, *head = _head(preview)
    strong = [block for block in head if isinstance(block, Words) and block.strong]
    canary = canary_sentence(preview) if preview.canary is None else None
    found = (preview.null_markers, preview.replaced)
    others = (canary, *map(_passed_over, preview.passed_over), *(each.sentence() for each in found if each is not None))
    changes = [f"{term} {what}" for term, what in preview.changes]
    blocks = [
        first,
        *strong,
        *([Words(f"{_CHANGED}: {'; '.join(changes)}")] if changes else []),
        *_message_in_short(preview),
        *(Words(each) for each in others if each),
        *said,
    ]
    return Page("", tuple(blocks))


def _message_in_short(preview: Preview) -> list[Block]:
    if preview.texts and not preview.is_test:
        each = _LONGEST_TEXT // 2
        return [Words(f"{said.choice}: {shorten(said.text, each, placeholder=' ...')}") for said in preview.samples]
    texts = list(dict.fromkeys(sample.text for sample in preview.samples))
    if not texts:
        return []
    more = f" (and {len(texts) - 1:,} more samples)" if len(texts) > 1 else ""
    return [Words(f"The text: {shorten(texts[0], _LONGEST_TEXT, placeholder=' ...')}{more}")]


def preview_sentence(preview: Preview) -> str:
    """Say in one line what this run would send."""
    if not preview.numbers and preview.is_test:
        return "Nothing is left to send: this test was already sent. To send it again, use another campaign ID."
    if not preview.sendable:
        if not preview.rows:
            return "Nothing can be sent: the lists have no rows."
        return f"Nothing can be sent: 0 of {counted(preview.rows, 'row')} can be texted."
    if not preview.numbers:
        return (
            f"Nothing is left to send: {preview.sendable:,} of {counted(preview.rows, 'row')} can be texted, and "
            f"all of them were{', or are left out by now' if preview.left_out.since_plan else ''}."
        )
    parts = "" if preview.parts is None else f", {counted(preview.parts, 'message part')}"
    cost = "" if preview.cost is None else f", about {preview.cost}"
    return (
        f"{counted(preview.numbers, 'number')} in {counted(preview.calls, 'call')}, "
        f"about {in_words(max(1.0, preview.seconds))} at {preview.calls_per_second:g} per second{parts}{cost}."
    )


def resend_sentence(preview: Preview) -> str | None:
    """Warn that chunks may have been sent before; None if this run resends none."""
    if not preview.resent_chunks:
        return None
    return (
        f"An earlier run may already have sent {preview.resent_chunks:,} of these calls: resending them may text some "
        "people twice."
    )


def canary_sentence(preview: Preview) -> str | None:
    """Say that a canary goes out first, or what happened to it; None without one."""
    if preview.canary is not None:
        return preview.canary.sentence()
    if preview.canary_first is None:
        return None
    numbers = "number goes" if preview.canary_first == 1 else f"{preview.canary_first:,} numbers go"
    return (
        f"The first {numbers} out alone, as a canary. Once all its calls are answered, and if at most "
        f"{100 * preview.max_failure_rate:g} % of its numbers failed or are unknown, the others follow."
    )


def _head(preview: Preview) -> list[Block]:
    dry = "A dry run. It would text " if preview.dry_run and preview.numbers else ""
    blocks: list[Block] = [Words(f"{dry}{preview_sentence(preview)}", strong=True)]
    if preview.is_test:
        blocks.append(Words(_TEST, strong=True))
    if preview.changes:
        blocks.append(Notes(_CHANGED, preview.changes))
    if canary := canary_sentence(preview):
        blocks.append(Words(canary, strong=preview.canary is not None))
    blocks += [Words(said, strong=True) for said in (_holdout_sentence(preview), resend_sentence(preview)) if said]
    if preview.hours_forecast is not None and preview.numbers:
        blocks.append(Words(_hours_sentence(preview.hours_forecast)))
    if (ends := _end_sentence(preview)) and preview.numbers:
        blocks.append(Words(ends, strong=preview.numbers_in_time not in {None, preview.numbers}))
    blocks += _limits(preview)
    blocks += [Words(said, strong=True) for said in left_out_sentences(preview.left_out)]
    if repeats := repeats_sentence(preview.repeats):
        blocks.append(Words(repeats, strong=True))
    if preview.saved is not None:
        blocks.append(Words(preview.saved.sentence(), strong=True))
    blocks += [Words(odd.sentence(), strong=True) for odd in preview.strange_countries]
    blocks += [Words(said) for said in (_about(preview), *map(_passed_over, preview.passed_over), *_warnings(preview))]
    blocks += [*_read(preview), *_messages(preview)]
    blocks += [Words(found.sentence()) for found in (preview.null_markers, preview.replaced) if found is not None]
    if preview.ucs2 is not None:
        blocks.append(Words(_ucs2_sentence(preview.ucs2)))
    return blocks


def _holdout_sentence(preview: Preview) -> str | None:
    if not preview.held_out:
        return None
    held = "1 number gets" if preview.held_out == 1 else f"{preview.held_out:,} numbers get"
    return f"The holdout: {held} no text, to compare with (--holdout)."


def _limits(preview: Preview) -> list[Block]:
    """Say which policy applies, what it kept back and what is left of its budgets, and why the campaign isn't sent."""
    said = [] if preview.policy is None else [preview.policy.sentence(), *preview.policy.budgets]
    exceeded = [f"This campaign will not be sent: {limit}" for limit in preview.exceeded_limits]
    if preview.schedule is not None:
        said.append(preview.schedule.sentence())
    advice = None if preview.schedule is None else preview.schedule.advice()
    exceeded += [] if advice is None else [advice]
    return [*(Words(line) for line in said), *(Words(line, strong=True) for line in exceeded)]


def _read(preview: Preview) -> list[Block]:
    read = reading_notes(preview.readings)
    return [] if read is None else [read]


def _hours_sentence(forecast: HoursForecast) -> str:
    later = [f"{numbers:,} from {moment(at)}" for at, numbers in forecast.later[:_MOST_OPENINGS]]
    if rest := forecast.later[_MOST_OPENINGS:]:
        later.append(f"{sum(numbers for _, numbers in rest):,} after that")
    never = (
        f". {forecast.never:,} can't be texted in the next 24 hours: their country spans too many time zones for these "
        "hours, or the time there isn't known"
        if forecast.never
        else ""
    )
    return (
        f"Hours {forecast.hours} in the recipient's time zone: {counted(forecast.open_now, 'number')} can be texted now"
        f"{''.join(f', {each}' for each in later)}{never}."
    )


def _end_sentence(preview: Preview) -> str | None:
    """Say when the sending ends, and if that's before all numbers can be texted."""
    if preview.end.hours is not None:
        return f"Nothing is sent after the day's hours ({preview.end.hours}) in the recipient's time zone (--until)."
    in_time = preview.numbers_in_time
    if in_time is None:
        return None
    after = f"after {moment(preview.end.at)} (--until)"
    if in_time == preview.numbers:
        return f"Nothing is sent {after}."
    few = f"at this rate, {in_time:,} of {counted(preview.numbers, 'number')} at most are texted before"
    return f"Nothing is sent {after}: {few if in_time else 'that time has passed, so nobody would be texted'}."


def _ucs2_sentence(ucs2: Ucs2) -> str:
    texts = "1 text goes" if ucs2.texts == 1 else f"{ucs2.texts:,} texts go"
    shown = " ".join(f"{character} (U+{ord(character):04X})" for character in ucs2.characters)
    return (
        f"{texts} out in UCS-2, which fits 70 characters in a single part instead of 160, or 67 instead of 153 in each "
        f"of several, because of: {shown}."
    )


def _blocks(preview: Preview) -> list[Block]:
    blocks = [*_head(preview), groups_table(preview)]
    if preview.texts:
        blocks.append(texts_table(preview.texts))
    if preview.costs is not None:
        blocks.append(cost_table(preview.costs, MOST_COUNTRIES))
    if preview.policy is not None and preview.policy.rules:
        blocks.append(Notes(f"The policy {preview.policy.place}", preview.policy.rules))
    if preview.refused:
        blocks.append(refused_notes(preview))
    if preview.destinations:
        blocks.append(countries_table(preview))
    return blocks


def _about(preview: Preview) -> str:
    lists = ", ".join(preview.lists[:_MOST_LISTS])
    more = len(preview.lists) - _MOST_LISTS
    sender = f"from {preview.senders}" if str(preview.senders) else "without a sender ID"
    gateway = "" if preview.gateway is None else f" Gateway: {preview.gateway}."
    return f"{preview.type}, {sender}. Lists: {lists}{f' and {more:,} more' if more > 0 else ''}.{gateway}"


def _passed_over(found: NoLists) -> str:
    """Say what was found beside the lists and isn't read."""
    more = f" and {found.count - len(found.names):,} more" if found.count > len(found.names) else ""
    said = "1 that isn't a list" if found.count == 1 else f"{found.count:,} that aren't lists"
    return f"Passed over in {found.uri}: {said} ({', '.join(found.names)}{more})."


def _warnings(preview: Preview) -> list[str]:
    """Warn of what people may not expect when they run a campaign again."""
    said: list[str] = []
    if preview.is_earlier and not preview.is_test:
        said.append(
            "The plan was frozen earlier and the recipient lists were not read again, so it doesn't have their later "
            "changes. To send to the lists as they are now, start another campaign that excludes the results of this "
            "one (--exclude-results), so that nobody gets the text twice."
        )
    if preview.id_is_made:
        said.append(
            "No campaign ID was given, so it is made from the settings and lists: changing any of them creates a new "
            "campaign, which texts everyone again, except people who got the very same text lately (--repeat-after)."
        )
    return said


def _messages(preview: Preview) -> list[Block]:
    """Show each different text once; if there are several, and in a test, say who gets it."""
    readers: dict[tuple[str | None, str], list[str]] = {}
    for sample in preview.samples:
        said = f"{sample.phone_number} {country(sample.region).flag}"
        readers.setdefault((sample.choice, sample.text), []).append(said)
    one = len(readers) == 1 and not preview.is_test
    return [
        Quote((choice or "Message") + ("" if one else f" to {', '.join(to)}"), text)
        for (choice, text), to in readers.items()
    ]
