"""An app for codes on somebody's phone."""

import time
from base64 import b32decode
from binascii import unhexlify

from django_otp.oath import TOTP

_STEP = 30


class Phone:
    """Shows a code that was not used yet each time it is looked at, without the half a minute that a person waits: its
    clock runs ahead then, and the platform follows a phone's clock. Each code it shows is to be used."""

    def __init__(self, key: str) -> None:
        """`key`: in base 32 as a page shows it, or hexadecimal as it is kept."""
        plain = key.replace(" ", "")
        self.key = unhexlify(plain) if len(plain) == 40 else b32decode(plain)
        self._looked = self._now()
        self._shown = self._looked - 1

    def code(self) -> str:
        now = self._now()
        self._shown += max(1, now - self._looked)
        self._looked = now
        return self._at(self._shown)

    def wrong(self) -> str:
        """No code of about now."""
        near = {self._at(self._shown + step) for step in range(-5, 6)}
        return next(code for code in map("{:06}".format, range(20)) if code not in near)

    def _now(self) -> int:
        return int(time.time() // _STEP)

    def _at(self, step: int) -> str:
        totp = TOTP(self.key)
        totp.time = step * _STEP
        return f"{totp.token():06}"
