"""Where a server's unix socket lives: beside its data, unless that path is too long for one."""

import os
import tempfile
from pathlib import Path

from config.embedded.account import Account

PATH_LIMIT = 107  # bytes, the kernel's
NAME_ROOM = 20  # for "/.s.PGSQL.5432" or "/valkey.sock"


def socket_directory(home: Path, account: Account | None = None) -> Path:
    """`home`, or a new private directory with a short path; whoever asks removes it again."""
    if len(os.fsencode(home)) + NAME_ROOM <= PATH_LIMIT:
        return home
    short = Path(tempfile.mkdtemp(prefix="mianyue-", dir="/tmp"))
    if account:
        os.chown(short, account.uid, account.gid)
    return short
