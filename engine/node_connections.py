"""How the engine reaches its Asterisk nodes: over ARI, and over AMI."""

from __future__ import annotations

from pathlib import Path

from engine.config.configuration import Configuration
from engine.home import Home, SecretBox
from telephony.ami.client import AmiSettings
from telephony.ari.settings import AriSettings
from telephony.node.settings import NodeSettings

AMI_USER = "centralita"

LINE_VANISHED_S = 5.0


def ari_settings(node: NodeSettings) -> AriSettings:
    """How the engine talks to its local node."""
    return AriSettings(
        node=node.name,
        user="engine",
        password=node.secrets.ari_engine,
        recordings_dir=node.recordings,
        scratch_dir=node.state_dir / "data",
        port=node.http_port,
        inbound_limit_s=float(node.absolute_limit_s),
        line_vanished_s=_line_vanished_s(node.phone_vanished_s),
    )


def _line_vanished_s(phone_vanished_s: float) -> float:
    """Who talks hears that nobody is there; who is put through to a held line does not know it."""
    return min(LINE_VANISHED_S, float(phone_vanished_s))


def remote_nodes(home: Home, configuration: Configuration, box: SecretBox) -> list[AriSettings]:
    """The site's other nodes; the password of each is the secret `ari/<node>`."""
    return [
        AriSettings(
            node=remote.node,
            user=remote.user,
            password=box.get(f"ari/{remote.node}"),
            host=remote.host,
            port=remote.port,
            recordings_dir=Path(remote.recordings),
            scratch_dir=home.asterisk / "data",
            inbound_limit_s=float(configuration.site.leg_limit_s),
            line_vanished_s=_line_vanished_s(configuration.site.sip.phone_vanished_s),
        )
        for remote in configuration.site.nodes
    ]


def remote_managers(configuration: Configuration, box: SecretBox) -> list[AmiSettings]:
    """Those of the site's other nodes that say where their AMI is; the password of each is the secret `ami/<node>`."""
    return [
        AmiSettings(
            remote.node,
            AMI_USER,
            box.get(f"ami/{remote.node}"),
            host=remote.host,
            port=remote.manager_port,
            quality=False,
        )
        for remote in configuration.site.nodes
        if remote.manager_port is not None
    ]


def ami_settings(node: NodeSettings) -> AmiSettings:
    """How its watcher and a reload talk to it."""
    return AmiSettings(node.name, AMI_USER, node.secrets.ami, port=node.ami_port)
