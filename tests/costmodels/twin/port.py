"""The one DRAM port: a tick serves a filter that is waited for, else the maps of the pass, else weights ahead."""

from dataclasses import dataclass


@dataclass
class Port:
    """Cycles of transfer still to do, by priority."""

    filter: int = 0
    maps: int = 0
    ahead: int = 0

    @property
    def busy(self) -> bool:
        """Whether the next tick transfers anything."""
        return self.filter > 0 or self.maps > 0 or self.ahead > 0

    def tick(self) -> None:
        """One cycle."""
        if self.filter > 0:
            self.filter -= 1
        elif self.maps > 0:
            self.maps -= 1
        elif self.ahead > 0:
            self.ahead -= 1
