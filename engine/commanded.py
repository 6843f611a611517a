"""Every Asterisk of the site as its supervisor reaches it, with a user of its own, revoked apart from the engine's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telephony.node.settings import NodeSettings, new_secret

if TYPE_CHECKING:
    from engine.config.configuration import Configuration
    from engine.home import SecretBox

SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Commanded:
    """`url`: of its ARI."""

    node: str
    url: str
    password: str = field(repr=False)


def supervisor_secret(box: SecretBox, node: str) -> str:
    """Of a node that is not the local one; it goes there with what is exported."""
    return box.get(f"ari-supervisor/{node}", lambda: new_secret(32))


def local(node: NodeSettings) -> Commanded:
    return Commanded(node.name, node.ari_url, node.secrets.ari_supervisor)


def remote_commanded(configuration: Configuration, box: SecretBox) -> tuple[Commanded, ...]:
    return tuple(
        Commanded(each.node, f"http://{each.host}:{each.port}/ari", supervisor_secret(box, each.node))
        for each in configuration.site.nodes
    )
