"""Pages for people: the preview and the report, made once and shown as markdown, as HTML and in a terminal."""

from tasks.pages.markup import as_html, as_markdown
from tasks.pages.page import Block, Notes, Page, Quote, Table, Words

__all__ = ["Block", "Notes", "Page", "Quote", "Table", "Words", "as_html", "as_markdown"]
