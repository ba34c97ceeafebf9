"""Where sessions are kept: in the database, with the cache (Valkey) in front of it."""

from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from redis.exceptions import RedisError


class SessionStore(CachedStore):
    """Does without the cache while that is away, except for ending a session: one the cache still
    holds would come back with it, so that who signs out then is told that it failed."""

    def load(self) -> dict[str, Any]:
        try:
            return super().load()
        except RedisError:
            return DatabaseStore.load(self)

    def exists(self, session_key: str) -> bool:
        try:
            return super().exists(session_key)
        except RedisError:
            return DatabaseStore.exists(self, session_key)
