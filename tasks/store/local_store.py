"""A local directory as a store: link(2) for put-if-absent, flock(2) and rename(2) for compare-and-swap."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

from globe_sms.tasks.store.interface import Store, Stored
from globe_sms.tasks.store.store_clock import StoreClock
from globe_sms.tasks.vocabulary.errors import StoreError, StoreUnavailableError

_LOCK = ".globe-sms/lock"
_TEMPORARY = ".globe-sms/tmp"


class LocalStore:
    """A directory on a local file system; an object's version is the SHA-256 of its bytes.

    Writes are flushed to disk before they return, so they survive a power loss. A network file system is only as safe
    as its link, flock and rename.
    """

    def __init__(self, root: Path, prefix: str = "", uri: str | None = None) -> None:
        self._root = root
        self._prefix = prefix
        self._uri = (uri or str(root)).rstrip("/") or "/"

    @property
    def uri(self) -> str:
        """The directory as the user wrote it."""
        return self._uri

    def get(self, key: str) -> Stored | None:
        """Return the object under `key`, or None."""
        with _errors(self._uri, key):
            try:
                with self._path(key).open("rb") as file:
                    body, modified = file.read(), os.fstat(file.fileno()).st_mtime
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stored(body, _version(body), modified)

    def put_if_absent(self, key: str, body: bytes) -> str | None:
        """Write `body` unless `key` exists; exactly one of several writers gets a version."""
        with _errors(self._uri, key), self._temporary() as temporary:
            temporary.write_bytes(body)
            if self._link(temporary, key):
                return _version(body)
            current = self.get(key)
            return current.version if current is not None and current.body == body else None

    def compare_and_swap(self, key: str, body: bytes, version: str) -> str | None:
        """Replace `key` if it still has `version`, holding the directory's lock."""
        with _errors(self._uri, key), self._lock():
            current = self.get(key)
            if current is None or current.version != version:
                return None
            with self._temporary() as temporary:
                temporary.write_bytes(body)
                self._replace(temporary, key)
            return _version(body)

    def put_file_if_absent(self, key: str, path: Path) -> bool:
        """Write a copy of the file unless `key` exists."""
        with _errors(self._uri, key), self._temporary() as temporary:
            shutil.copyfile(path, temporary)
            return self._link(temporary, key)

    def put_file(self, key: str, path: Path) -> None:
        """Write a copy of the file under `key`; readers see the old object or the new one."""
        with _errors(self._uri, key), self._temporary() as temporary:
            shutil.copyfile(path, temporary)
            self._replace(temporary, key)

    def fetch(self, key: str, path: Path) -> bool:
        """Copy the object under `key` to `path`; False if there is none."""
        with _errors(self._uri, key):
            try:
                shutil.copyfile(self._path(key), path)
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that start with `prefix`, sorted."""
        base = self._path("")
        folder, _, start = prefix.rpartition("/")
        with _errors(self._uri, prefix):
            keys = sorted(path.relative_to(base).as_posix() for path in _files_in(base / folder, start))
        yield from keys

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders directly here, sorted."""
        with _errors(self._uri, ""):
            base = self._path("")
            names = sorted(path.name for path in base.iterdir() if path.is_dir()) if base.is_dir() else []
        yield from names

    def delete(self, key: str) -> None:
        """Delete `key` if it exists."""
        with _errors(self._uri, key):
            self._path(key).unlink(missing_ok=True)

    @property
    def clock(self) -> StoreClock:
        """This machine's clock."""
        return StoreClock()

    def within(self, prefix: str) -> Store:
        """Return the folder `prefix` of this directory as a store."""
        inner = f"{self._prefix}{prefix.strip('/')}/"
        return LocalStore(self._root, inner, f"{self._uri}/{prefix.strip('/')}")

    def _path(self, key: str) -> Path:
        return self._root / f"{self._prefix}{key}"

    @contextlib.contextmanager
    def _temporary(self) -> Generator[Path]:
        # On the target's file system, as link and rename need it, and outside every campaign's listing.
        folder = self._root / _TEMPORARY
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        os.close(handle)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _link(self, temporary: Path, key: str) -> bool:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        _flush(temporary)
        try:
            os.link(temporary, target)
        except FileExistsError:
            return False
        _flush(target.parent)
        return True

    def _replace(self, temporary: Path, key: str) -> None:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o644)
        _flush(temporary)
        temporary.replace(target)
        _flush(target.parent)

    @contextlib.contextmanager
    def _lock(self) -> Generator[None]:
        path = self._root / _LOCK
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield  # closing the file releases the lock, even if the process is killed


def _version(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _files_in(folder: Path, start: str) -> Iterator[Path]:
    """Yield the files of a folder whose path in it begins with `start`.

    A folder that can't be read isn't an empty one, for which `Path.rglob` takes it.
    """
    for place, folders, names in os.walk(folder, onerror=_raise_unless_gone):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name.startswith(start)]
            names = [name for name in names if name.startswith(start)]  # noqa: PLW2901
        yield from (path for name in names if (path := Path(place, name)).is_file())


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _errors(uri: str, key: str) -> Generator[None]:
    try:
        yield
    except (PermissionError, NotADirectoryError, FileExistsError, IsADirectoryError) as error:
        raise StoreError(
            f"{uri}: can't use {key!r} ({error.strerror}); check the folder and its permissions."
        ) from error
    except OSError as error:
        raise StoreUnavailableError(f"{uri}: {error.strerror or error} at {key!r}; check the disk.") from error
