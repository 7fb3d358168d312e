"""Backup of a database into one consistent file, and restore from it.

A file has rows but no table definitions: the program that restores it creates the tables, and so must
have the same generation. Decision 0028 says why.
"""

from crossdock.db.backups.archive import (
    Manifest,
    Unreadable,
    check_archive,
    read_keys,
    read_manifest,
)
from crossdock.db.backups.dumping import Backup, require_free, write_backup
from crossdock.db.backups.restoring import Restored, load_backup, require_known, require_room
from crossdock.db.backups.watching import Watcher

__all__ = [
    "Backup",
    "Manifest",
    "Restored",
    "Unreadable",
    "Watcher",
    "check_archive",
    "load_backup",
    "read_keys",
    "read_manifest",
    "require_free",
    "require_known",
    "require_room",
    "write_backup",
]
