"""What can go wrong with a node. Each message is meant for the person: what, where, what to do.

NodeError
├── Unsuitable          an Asterisk that is there cannot be used
│   └── NamespacesForbidden   not by bubblewrap, here
├── NotInstalled        there is none: `make install-asterisk`
├── InstallFailed       a private one could not be made; nothing half-made stays behind
├── PackagesMissing     Debian packages could not be installed; the message has the command
├── UnsafeValue         a setting would not stay one value in Asterisk's files
└── StartFailed         it did not start; the message has its last words
    ├── AlreadyRunning  another process runs one in this state directory
    └── PortTaken       something else listens on its ports
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import CentralitaError


class NodeError(CentralitaError):
    """Any of the below."""


class Unsuitable(NodeError):
    """This Asterisk cannot run the contact center. Install another, or let us make a private one."""


class NamespacesForbidden(Unsuitable):
    """Bubblewrap may not make the namespaces that a private root is shown in; the message says who could allow it."""


class NotInstalled(NodeError):
    """There is no suitable Asterisk. Run `make install-asterisk`."""


class InstallFailed(NodeError):
    """The private root could not be made; the message has the reason and the remedy."""


class PackagesMissing(NodeError):
    """Packages of this machine are missing and could not be installed: the message has the command that does it."""


class UnsafeValue(NodeError, ValueError):
    """A setting would not stay one value in Asterisk's files. Take out what the message names."""


class NotRunning(NodeError):
    """No Asterisk runs in this state directory. Start it, or name another directory."""


class StartFailed(NodeError):
    """Asterisk did not start: the message has its last words and where its log is."""


class AlreadyRunning(StartFailed):
    """An Asterisk runs in this state directory. Stop it, or choose another directory."""


class PortTaken(StartFailed):
    """Something else listens on ports the node wants. Stop it, or change the settings the message names."""

    def __init__(self, taken: Sequence[tuple[str, str]]) -> None:
        super().__init__(
            "; ".join(f"{setting}: {what}: stop what uses it, or set another {setting}" for setting, what in taken)
        )
        self.taken = taken
        """(field of `NodeSettings`, what is wrong with its port) of each."""
