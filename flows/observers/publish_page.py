"""Publishes a page as an artifact of this flow run, for flows whose answer is one page."""

from prefect.artifacts import create_markdown_artifact

from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.page_blocks import Page


def publish_page(key: str, page: Page) -> None:
    """Make the page an artifact with this key (small letters, digits, dashes), in the words of the form."""
    create_markdown_artifact(as_markdown(page.in_words(in_form_words)), key=key, description=page.title)
