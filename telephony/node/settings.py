"""What one Asterisk node must know: everything its configuration templates need, and nothing else.

A node speaks SIP to phones and trunks, and ARI and AMI to us. *Devices* are phones with an account of
their own; *trunks* are carriers, known by their address or by a registration we make. Values end up in
Asterisk's configuration files, so each has a charset here: what could start a line, a section or a
comment of its own never gets further. `pydantic.ValidationError` says which field is wrong and why.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyAddress, IPvAnyNetwork, model_validator

from telephony.node.carrier_password import CarrierPassword

CALLED_CONTEXT, CALLED_RETRY_S, CALLED_TRIES = "called", 0.25, 8
"""Where in the dialplan whom we call goes when she answers; how often she is offered to an engine, and how many
times."""
AMD_CONTEXT, AMD_ARGUMENTS = "called-amd", "AMD_ARGUMENTS"
"""Where she goes first when Asterisk's AMD() is to judge her, and the variable with how."""
STASIS_APP = "centralita"
"""The application every leg is handed to."""

# A Unix socket's path holds 107 bytes, and Asterisk's lies at `<state_dir>/run/asterisk.ctl`.
_LONGEST_STATE_DIR = 90
# No l, o, 0, 1: a person types this into a phone.
_SECRET_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # noqa: S105


def new_secret(length: int = 20) -> str:
    """A random secret (5 bits a character) that can be typed on a phone's keypad."""
    return "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(length))


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{path} is relative: give the whole path, from /")
    if not str(path).isprintable() or set(str(path)) & set(";,&|\"'$\\[]={}"):
        raise ValueError(f"{str(path)!r} has a character Asterisk's files cannot hold: use letters, digits, / . _ -")
    return path


Name = Annotated[str, Field(pattern=r"\A[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?\z")]
"""A name inside Asterisk: letters, digits, `_` and `-`."""
Host = Annotated[str, Field(pattern=r"\A[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\z")]
"""A host name or an IPv4 address."""
Password = Annotated[str, Field(pattern=r"\A[!-:<-\[\]-~]{6,128}\z", repr=False)]
"""One that we made: printable ASCII without spaces, `;` or `\\`."""
Number = Annotated[str, Field(pattern=r"\A\+?[0-9*#]{1,32}\z")]
"""Something one can dial."""
SipUser = Annotated[str, Field(pattern=r"\A[A-Za-z0-9+*#._-]{1,64}\z")]
Codec = Literal["alaw", "ulaw", "g722", "opus", "gsm"]
Tones = Literal["ar", "cl", "es", "mx", "uk", "us"]
"""Sections of indications.conf."""
Language = Annotated[str, Field(pattern=r"\A[a-z]{2}(?:_[A-Z]{2})?\z")]
Sound = Annotated[str, Field(pattern=r"\A[A-Za-z0-9/._-]+(?:&[A-Za-z0-9/._-]+)*\z")]
"""Asterisk's name for a sound (no extension), or several joined by `&`."""
Port = Annotated[int, Field(ge=1, le=65535)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
Transport = Literal["udp", "tcp", "tls"]
Context = Literal["arrivals", "bench"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(_Frozen):
    """A phone. It registers as `name` with `secret` and calls whatever it dials into the application.

    `transport`: unset means the one it registers over. `srtp`: audio is encrypted, or there is no call (the keys are in
    its SDP: use TLS). `webrtc`: a browser's, over a WebSocket. `context`: `bench` reaches the native benchmark menu.
    """

    name: Name
    secret: Password = Field(default_factory=new_secret)
    caller_name: Annotated[str, Field(pattern=r"\A[^\W_][\w .'-]{0,63}\z")] | None = None
    caller_number: SipUser | None = None
    codecs: tuple[Codec, ...] = ("alaw", "ulaw", "g722", "opus")
    transport: Transport | None = None
    language: Language | None = None
    max_contacts: Annotated[int, Field(ge=1, le=10)] = 1
    srtp: bool = False
    webrtc: bool = False
    context: Context = "arrivals"


class Registration(_Frozen):
    """We register at the carrier: `username`/`password` as it gave them."""

    username: SipUser
    password: CarrierPassword
    contact_user: SipUser | None = None
    expires_s: Annotated[int, Field(ge=60, le=7200)] = 600


class Account(_Frozen):
    """What a caller's server must know to come in through a trunk."""

    username: SipUser
    password: CarrierPassword


class Trunk(_Frozen):
    """A carrier. Its calls are known by source address (`match`, else `host`) or by our registration's line.

    Without `registration`, inbound calls are taken from the matched addresses only; `inbound_auth` also
    asks them for a password. `dialled_from`: where this carrier writes the number that was dialled.
    `outbound_auth`: when calls out need a password and there is no registration to take it from.
    `caller_number`: shown by calls that the dialplan itself sends over it; those of the engine bring their own.
    """

    name: Name
    host: Host
    port: Port = 5060
    transport: Transport = "udp"
    match: tuple[IPvAnyNetwork, ...] = ()
    registration: Registration | None = None
    inbound_auth: Account | None = None
    outbound_auth: Account | None = None
    outbound_proxy: Host | None = None
    codecs: tuple[Codec, ...] = ("alaw", "ulaw")
    caller_number: Number | None = None
    from_user: SipUser | None = None
    from_domain: Host | None = None
    dtmf: Literal["rfc4733", "info", "inband", "auto"] = "rfc4733"
    dialled_from: Literal["request", "to"] = "request"
    language: Language | None = None
    qualify_s: Annotated[int, Field(ge=0, le=3600)] = 60
    srtp: bool = False
    context: Context = "arrivals"

    @property
    def auth_out(self) -> Account | None:
        """The account for calls and registrations we make."""
        if self.registration is not None:
            return Account(username=self.registration.username, password=self.registration.password)
        return self.outbound_auth


class Relay(_Frozen):
    """Another node of ours, at its SIP address: calls for its devices go there, and its calls for ours come in. Either
    side knows the other by `relay-<name>` and the site's relay secret; the address alone lets nobody in."""

    name: Name
    host: Host
    port: Port = 5060

    @property
    def endpoint(self) -> str:
        """What it is called inside Asterisk."""
        return f"relay-{self.name}"


class Music(_Frozen):
    """A class of music on hold: the files of a directory, which Asterisk reads under the same path, one by one."""

    name: Name
    directory: AbsolutePath


class Route(_Frozen):
    """Where the dialplan itself may send a call while nobody commands it: `number` over a trunk, or to a device."""

    endpoint: Name
    number: Number | None = None
    ring_s: Annotated[int, Field(ge=5, le=300)] = 45


class Emergency(_Frozen):
    """Numbers which are dialled over `trunk` at once when the engine is not there to do it; over the first of
    `failover` that takes them, while those before do not."""

    trunk: Name
    failover: tuple[Name, ...] = ()
    numbers: tuple[Number, ...] = ("112",)


class Secrets(_Frozen):
    """Passwords of ARI's and AMI's users, and of nodes among themselves.

    ARI knows only all or read-only, so the supervisor's differs from the engine's in that it can be revoked apart.
    """

    ari_engine: Password = Field(default_factory=lambda: new_secret(32))
    ari_supervisor: Password = Field(default_factory=lambda: new_secret(32))
    ami: Password = Field(default_factory=lambda: new_secret(32))
    relay: Password = Field(default_factory=lambda: new_secret(32))


class NodeSettings(_Frozen):
    """One node. Addresses are numeric; ports are TCP except `sip_port` (UDP and TCP) and the RTP range (UDP).

    `bind`: where SIP and RTP listen; HTTP and AMI listen on loopback always. `media_address`: what is
    written in SDP (unset: `bind`). `external_address`: what the far side of a NAT must be told.
    `sounds_dirs`: read-only to Asterisk. `recordings_dir`: where it records (unset: inside `state_dir`).
    `absolute_limit_s`: no leg lives longer. While no engine listens a leg hears music and is offered
    every `hold_retry_s` seconds, `hold_tries` times; then `apology`, then `overflow` or hangup. `phone_vanished_s`,
    `trunk_vanished_s`: a leg that was answered and has sent no audio for so long is ended (`held_vanished_s`: one whose
    phone holds the call); 0 waits for ever. `music`: what waiting callers may hear beside Asterisk's own `default`.
    `tones`: whose ringing, busy and congestion callers hear.
    `bench_trunk`: a benchmark's own carrier, which no configuration knows; it outlives reloads.
    """

    name: Name = "node-1"
    state_dir: AbsolutePath
    bind: IPvAnyAddress = Field(default="127.0.0.1", validate_default=True)
    sip_port: Port = 5060
    tls_port: Port | None = None
    tls_certificate: AbsolutePath | None = None
    tls_key: AbsolutePath | None = None
    http_port: Port = 8088
    ami_port: Port = 5038
    rtp_start: Annotated[int, Field(ge=1024, le=65534)] = 10000
    rtp_end: Annotated[int, Field(ge=1025, le=65535)] = 19999
    media_address: IPvAnyAddress | None = None
    external_address: Host | None = None
    local_networks: tuple[IPvAnyNetwork, ...] = ()
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("es", "en")
    sounds_dirs: tuple[AbsolutePath, ...] = ()
    recordings_dir: AbsolutePath | None = None
    secrets: Secrets = Field(default_factory=Secrets)
    devices: tuple[Device, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    relays: tuple[Relay, ...] = ()
    absolute_limit_s: Annotated[int, Field(ge=1, le=86400)] = 4 * 3600
    hold_retry_s: Annotated[int, Field(ge=1, le=60)] = 2
    hold_tries: Annotated[int, Field(ge=1, le=1000)] = 30
    qualify_devices_s: Annotated[int, Field(ge=0, le=3600)] = 60
    phone_vanished_s: Annotated[int, Field(ge=0, le=3600)] = 20
    trunk_vanished_s: Annotated[int, Field(ge=0, le=3600)] = 60
    held_vanished_s: Annotated[int, Field(ge=0, le=86400)] = 3600
    music: tuple[Music, ...] = ()
    tones: Tones = "es"
    apology: Sound = "vm-nobodyavail&vm-goodbye"
    safe_harbour: Sound = "vm-nobodyavail&vm-goodbye"
    overflow: Route | None = None
    emergency: Emergency | None = None
    bench_trunk: Trunk | None = None
    bench_prompts: tuple[Sound, Sound] = ("vm-press", "vm-goodbye")
    bench_queue: tuple[Name, ...] = ()
    """Devices that serve `app_queue`, the routing benchmark's peer; it is not even loaded otherwise."""
    log_level: Literal["error", "warning", "notice", "verbose", "debug"] = "notice"

    @property
    def ari_url(self) -> str:
        """Where ARI is, without a user: `http://127.0.0.1:8088/ari`."""
        return f"http://127.0.0.1:{self.http_port}/ari"

    @property
    def carriers(self) -> tuple[Trunk, ...]:
        """Every trunk that Asterisk knows."""
        return self.trunks if self.bench_trunk is None else (*self.trunks, self.bench_trunk)

    @property
    def rtp_address(self) -> str | None:
        """What SDP tells phones, or None to let Asterisk choose by route (bound to every address)."""
        address = self.media_address or (None if self.bind.is_unspecified else self.bind)
        return None if address is None else str(address)

    @property
    def default_language(self) -> str:
        return self.languages[0]

    @property
    def webrtc(self) -> bool:
        """Whether browsers are among its phones."""
        return any(device.webrtc for device in self.devices)

    @property
    def spool_dir(self) -> Path:
        return self.state_dir / "spool"

    @property
    def recordings(self) -> Path:
        """The directory ARI's recording names are relative to."""
        return self.recordings_dir or self.spool_dir / "recording"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(bytes(self.state_dir)) > _LONGEST_STATE_DIR:
            raise ValueError(
                f"state_dir is longer than {_LONGEST_STATE_DIR} bytes, and a socket must fit below it: shorten it"
            )
        if self.rtp_end - self.rtp_start < 3:
            raise ValueError(
                f"rtp_start {self.rtp_start} to rtp_end {self.rtp_end} leaves no room: every leg takes two ports"
            )
        ports = [self.sip_port, self.http_port, self.ami_port, *([self.tls_port] if self.tls_port else [])]
        if len(set(ports)) != len(ports):
            raise ValueError(
                f"two of sip_port, tls_port, http_port, ami_port are the same ({ports}): give each its own"
            )
        if self.rtp_start <= self.sip_port <= self.rtp_end:
            raise ValueError(
                f"sip_port {self.sip_port} lies in the RTP range {self.rtp_start}-{self.rtp_end}: move one"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together: give both, or neither for a self-signed one")
        self._names_meet()
        classes = [music.name for music in self.music]
        if twice := sorted({name for name in classes if classes.count(name) > 1} | ({"general"} & set(classes))):
            raise ValueError(f"music {', '.join(twice)}: choose another name, each its own")
        return self

    def _names_meet(self) -> None:
        names = [device.name for device in self.devices] + [trunk.name for trunk in self.carriers]
        names += [relay.endpoint for relay in self.relays]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{', '.join(twice)}: this name is used twice among devices, trunks and relays; each needs its own"
            )
        reserved = {"global", "system", "anonymous"} | {f"transport-{kind}" for kind in ("udp", "tcp", "tls", "ws")}
        for name in names:
            if name in reserved or name.endswith(("-auth", "-out", "-identify", "-registration")):
                raise ValueError(f"{name}: Asterisk's files use this name for something else; choose another")
        for device in self.devices:
            if device.webrtc and (device.transport is not None or device.srtp):
                raise ValueError(f"device {device.name} is a browser: take out its transport and srtp, it has its own")
        for trunk in self.carriers:
            if trunk.transport == "tls" and self.tls_port is None:
                raise ValueError(f"trunk {trunk.name} wants TLS and the node has no tls_port: set one (5061 is usual)")
        if self.overflow and self.overflow.endpoint not in names:
            raise ValueError(
                f"overflow.endpoint {self.overflow.endpoint!r} is no device or trunk: choose one of {names}"
            )
        trunks = {trunk.name for trunk in self.trunks}
        if self.overflow and self.overflow.endpoint in trunks and self.overflow.number is None:
            raise ValueError(
                f"overflow goes over trunk {self.overflow.endpoint!r} and has no number to dial: set overflow.number"
            )
        for name in (self.emergency.trunk, *self.emergency.failover) if self.emergency else ():
            if name not in trunks:
                raise ValueError(f"emergency: {name!r} is no trunk: choose one of {sorted(trunks)}")
