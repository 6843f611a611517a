"""One SIP account of the phone: who it is to Asterisk, and what it does when called."""

from __future__ import annotations

import socket
from typing import Any

import pjsua2 as pj

from telephony.softphone.protocol import AutoAnswer, Register
from telephony.softphone.sip_text import hint_for, host_port, transport_suffix
from telephony.softphone.stack.host import Host, Refused, no_exception_leaves


class Account(pj.Account):  # type: ignore[misc]
    def __init__(self, host: Host, wanted: Register) -> None:
        super().__init__()
        self.name = wanted.account
        self.wanted = wanted
        self.auto_answer: AutoAnswer | None = None
        self._host = host
        self._registered = False

    @property
    def registered(self) -> bool:
        return self._registered

    @no_exception_leaves
    def onRegState(self, prm: Any) -> None:  # noqa: N802
        if 200 <= prm.code < 300:
            self._registered = prm.expiration > 0
            if self._registered:
                self._host.emit("registered", account=self.name, expires_s=prm.expiration)
            else:
                self._host.emit("unregistered", account=self.name)
            return
        self._registered = False
        code = prm.code or 503
        self._host.emit("registration_failed", account=self.name, code=code, reason=prm.reason, hint=hint_for(code))

    @no_exception_leaves
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        self._host.incoming(self, prm.callId, prm.rdata.wholeMsg)


def local_address_towards(host: str, port: int) -> str:
    """The address of this machine that the other side sees: what the phone binds, and nothing more.

    Raises:
        Refused: the host has no address, or there is no way to it.
    """
    try:
        address = socket.getaddrinfo(host, port or 5060, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError as error:
        what = f"no way to {host}: {error.strerror or error}"
        raise Refused(what, "check the host's name and the network; this phone speaks IPv4 only") from error


def configuration(wanted: Register, transport_id: int, local_address: str, rtp_ports: tuple[int, int]) -> Any:
    """`rtp_ports`: the first one and how many."""
    at = host_port(wanted.host, wanted.port) + transport_suffix(wanted.transport)
    config = pj.AccountConfig()
    display = f'"{wanted.display}" ' if wanted.display else ""
    config.idUri = f"{display}<sip:{wanted.account.replace('#', '%23')}@{at}>"
    config.sipConfig.transportId = transport_id
    if wanted.registrar:
        config.regConfig.registrarUri = f"sip:{at}"
        config.regConfig.timeoutSec = wanted.expires_s
        config.regConfig.retryIntervalSec = wanted.retry_s
        config.regConfig.firstRetryIntervalSec = min(1, wanted.retry_s)
        config.regConfig.randomRetryIntervalSec = 0
    if wanted.secret:
        login = pj.AuthCredInfo("digest", "*", wanted.auth_user or wanted.account, 0, wanted.secret)
        config.sipConfig.authCreds.append(login)
    config.natConfig.sipOutboundUse = 0
    media = config.mediaConfig
    media.transportConfig.boundAddress = local_address
    media.transportConfig.port, media.transportConfig.portRange = rtp_ports
    # Two phones on one machine would otherwise race for the same first ports.
    media.transportConfig.randomizePort = True
    media.streamKaEnabled = False
    if wanted.srtp:
        media.srtpUse = pj.PJMEDIA_SRTP_MANDATORY
        media.srtpSecureSignaling = 0  # the far side says whether keys may travel in the open
    return config
