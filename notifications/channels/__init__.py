"""One module a channel; each sends one message and returns the provider's id for it."""


class Refused(Exception):
    """The provider will never take this message; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TryAgain(Exception):
    """Not now: the provider is away, slow or busy."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
