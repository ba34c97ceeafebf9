"""A real PostgreSQL and a real Valkey from wheels, for `make run` and `make test`.

Both listen on unix sockets only. Nothing here outlives the process that started it, however that
process ends; see docs/adr/0003-embedded-services.md for how and why.
"""

from config.embedded.process import Child, Trouble
from config.embedded.services import Services, hold, services, throwaway

__all__ = ["Child", "Services", "Trouble", "hold", "services", "throwaway"]
