"""Where campaigns live: an s3:// prefix or a local directory behind one small interface."""

from tasks.store.interface import Store, Stored
from tasks.store.local import LocalStore
from tasks.store.probe import probe
from tasks.store.s3 import S3Store

__all__ = ["LocalStore", "S3Store", "Store", "Stored", "probe"]
