"""pjsua's engine: started once per process, with a clock instead of a sound card."""

from __future__ import annotations

from typing import Any

import pjsua2 as pj

from telephony.softphone.stack.host import Refused

# Compiled into the wheel; going past the first aborts the process, past the second is refused.
MAX_ACCOUNTS = 8
MAX_CALLS = 4

_KINDS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}


class Endpoint:
    """`rate_hz`: of recordings and of the mixer. `rtp_ports`: the first one and how many. `codecs`: best first."""

    def __init__(
        self, *, rate_hz: int, rtp_ports: tuple[int, int], codecs: tuple[str, ...], log_level: int, ca_file: str
    ) -> None:
        self.rtp_ports = rtp_ports
        self.max_calls = MAX_CALLS
        self._ca_file = ca_file
        self._transports: dict[tuple[str, str, int], int] = {}
        self._pj = pj.Endpoint()
        self._pj.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = log_level
        config.uaConfig.userAgent = "Centralita softphone"
        config.uaConfig.maxCalls = MAX_CALLS
        # SIP is handled by our own loop and every callback comes on our own thread.
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        media = config.medConfig
        media.clockRate = media.sndClockRate = rate_hz
        media.noVad = True
        media.ecTailLen = 0
        self._pj.libInit(config)
        self._pj.audDevManager().setNullDev()
        self._pj.libStart()
        self._choose_codecs(codecs)

    @property
    def version(self) -> str:
        return str(self._pj.libVersion().full)

    def handle_events(self, at_most_s: float) -> None:
        self._pj.libHandleEvents(max(1, int(at_most_s * 1000)))

    def transport(self, kind: str, address: str, port: int) -> int:
        """The transport of this kind on this address, made when missing; port 0 is any.

        Raises:
            Refused: the port is taken.
        """
        key = (kind, address, port)
        if key in self._transports:
            return self._transports[key]
        config: Any = pj.TransportConfig()
        config.boundAddress, config.port = address, port
        if kind == "tls":
            # A private Asterisk signs its own certificate: it is checked when the driver names who to trust.
            config.tlsConfig.verifyServer = bool(self._ca_file)
            config.tlsConfig.CaListFile = self._ca_file
        try:
            self._transports[key] = self._pj.transportCreate(_KINDS[kind], config)
        except pj.Error as error:
            raise Refused(
                f"cannot listen on {address}:{port} ({kind}): {error.reason}", "choose another local_port, or 0 for any"
            ) from error
        return self._transports[key]

    def listening(self, transport_id: int) -> str:
        """`address:port` of a transport."""
        return str(self._pj.transportGetInfo(transport_id).localName)

    def _choose_codecs(self, codecs: tuple[str, ...]) -> None:
        wanted = {name.lower(): 255 - place for place, name in enumerate(codecs)}
        known = [codec.codecId for codec in self._pj.codecEnum2()]
        unknown = wanted.keys() - {codec.split("/")[0].lower() for codec in known}
        if unknown:
            raise Refused(
                f"no codec {', '.join(sorted(unknown))}",
                f"this phone speaks {', '.join(sorted({codec.split('/')[0] for codec in known}))}",
            )
        for codec in known:
            self._pj.codecSetPriority(codec, wanted.get(codec.split("/")[0].lower(), 0))
