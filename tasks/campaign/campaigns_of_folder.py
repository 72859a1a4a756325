"""The campaigns of a results folder, one by one."""

from globe_sms.tasks.store import Store


def campaign_folders(store: Store) -> list[str]:
    """Return the folders that may be campaigns: an id starts with a letter or a digit."""
    return [name for name in store.folders() if name[:1].isalnum()]
