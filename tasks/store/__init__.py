"""Storage for campaigns: an s3:// prefix or a local directory, behind one small interface."""

from globe_sms.tasks.store.conditional_write_probe import probe
from globe_sms.tasks.store.interface import Store, Stored
from globe_sms.tasks.store.local_store import LocalStore
from globe_sms.tasks.store.s3_store import S3Store

__all__ = ["LocalStore", "S3Store", "Store", "Stored", "probe"]
