"""Whom PostgreSQL runs as, and which places that user can reach.

PostgreSQL refuses to run as root. Run by root, it becomes another user, who owns the data.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class PopenUser(TypedDict, total=False):
    """The part of subprocess.Popen's arguments that changes the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user other than ourselves."""

    name: str
    uid: int
    gid: int


def popen_user(account: Account | None) -> PopenUser:
    """Arguments that make subprocess become this user; none of them for ourselves."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def server_account(home: Path) -> Account | None:
    """Who runs PostgreSQL over `home`: None for ourselves; for root whoever already owns it,
    else `postgres` where there is one, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if home.exists() and (owner := home.stat().st_uid):
        return _account(pwd.getpwuid(owner))
    try:
        return _account(pwd.getpwnam("postgres"))
    except KeyError:
        return _account(pwd.getpwnam("nobody"))


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def barrier(path: Path, account: Account) -> Path | None:
    """The first existing directory on the way to `path` that `account` may not pass, if any."""
    for directory in [*reversed(path.parents), path]:
        if not directory.exists():
            return None
        status = directory.stat()
        if status.st_uid == account.uid:
            allowed = status.st_mode & stat.S_IXUSR
        elif status.st_gid == account.gid:
            allowed = status.st_mode & stat.S_IXGRP
        else:
            allowed = status.st_mode & stat.S_IXOTH
        if not allowed:
            return directory
    return None
