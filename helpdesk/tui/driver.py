"""What draws the console on a terminal that something was painted on before it came."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver

from helpdesk import opening


class TakingDriver(LinuxDriver):
    """Takes over the empty frame: the screen it is on is not entered anew, so nothing blinks.

    At the end the terminal is set as it was before that frame.
    """

    _is_entered = False

    def start_application_mode(self) -> None:
        """Draw from now on."""
        before = opening.take()
        self._is_entered = before is not None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_entered = False
        if before is not None:
            self.attrs_before = before

    def write(self, data: str) -> None:
        """Write to the terminal, but for entering the screen that is shown."""
        if not (self._is_entered and data == opening.ENTER):
            super().write(data)
