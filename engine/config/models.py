"""The files under `config/`, one model each. Field descriptions are what an editor shows while one types."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from acd.definitions import Routing
from definitions.faults import fault
from definitions.fields import Country, TimeZone
from definitions.models import Count, Definition, Digits, Flag, LanguageTag, Name, PhoneNumber, Seconds
from telephony.node.carrier_password import unfit

_A_NUMBER = re.compile(r"\+?[0-9]{6,15}")

Port = Annotated[Count, Field(ge=1, le=65_535)]


class Sip(Definition):
    """Where phones and trunks reach us."""

    port: Port = Field(default=5060, description="UDP and TCP port of SIP")
    tls_port: Port | None = Field(default=None, description="TCP port of SIP over TLS; none unless set")
    rtp_first: Port = Field(default=10000, ge=1024, description="first UDP port of audio")
    rtp_last: Port = Field(
        default=10999, ge=1025, description="last UDP port of audio; a call needs two, a transfer four"
    )
    external_address: str | None = Field(default=None, description="our address as seen from outside a NAT")
    relay_host: str = Field(default="", description="where our other nodes reach this SIP; empty: they do not")
    phone_vanished_s: Count = Field(
        default=20, le=3600, description="a phone that sends no audio for so long is gone; 0: never"
    )
    trunk_vanished_s: Count = Field(default=60, le=3600, description="the same for callers from outside")

    @model_validator(mode="after")
    def _room_for_audio(self) -> Sip:
        if self.rtp_last <= self.rtp_first:
            what = f"rtp_first {self.rtp_first} to rtp_last {self.rtp_last} leaves no room"
            raise fault(what, "make rtp_last the larger one: a call needs two ports, a transfer four")
        return self


class Overflow(Definition):
    """Where callers go when nobody can serve them: a device, or a number over a trunk."""

    endpoint: Name
    number: str | None = None
    ring_s: Count = Field(default=45, ge=5, le=300)


class RemoteNode(Definition):
    """Another Asterisk that the engine commands, with the same templates, sounds and paths as the local one.

    ARI is never open to a network: reach it through a tunnel that ends at `host`:`port`. `centralita node export`
    writes what it runs on.
    """

    node: Name
    host: str = "127.0.0.1"
    port: Port = 8088
    user: str = "engine"
    manager_port: Port | None = Field(
        default=None, description="its AMI at `host`; without it conversations there are not recorded"
    )
    recordings: str = Field(description="its recordings directory, as this machine sees it")
    relay_host: str = Field(
        default="", description="where our other nodes reach its SIP; without it no call crosses to its phones"
    )
    relay_port: Port = Field(default=5060, description="UDP port of its SIP")
    bind: str = Field(default="127.0.0.1", description="the address its SIP and audio listen at")
    rtp_first: Port = Field(default=10000, ge=1024, description="its first UDP port of audio")
    rtp_last: Port = Field(default=10999, ge=1025, description="its last UDP port of audio")
    state: str = Field(default="/srv/centralita", description="the directory it runs in, on its own machine")
    overflow: Overflow | None = Field(
        default=None,
        description="where its callers go while the engine is away: a phone or trunk of its own; unless given the "
        "site's, if that is at this node, else they hear the apology alone",
    )
    emergency_trunk: Name | None = Field(
        default=None, description="a trunk of its own that takes emergency numbers while the engine is away"
    )


class Absence(Definition):
    """What callers get while the engine is away: music, then an apology, then `overflow`."""

    retry_s: Count = Field(default=2, ge=1, le=60, description="how often a waiting leg is offered again")
    tries: Count = Field(default=30, ge=1, le=1000, description="how many times, before the apology")
    overflow_after_s: Seconds = Field(default=30.0, description="legs of a dead engine are sent to overflow after this")
    apology: str = Field(default="vm-nobodyavail&vm-goodbye", description="Asterisk sounds joined by &")
    safe_harbour: str = Field(
        default="vm-nobodyavail&vm-goodbye", description="what whom we called hears: who called, from which number"
    )
    overflow: Overflow | None = None


class Detection(Definition):
    """Who tells answering machines from people, for campaigns with `screen`."""

    by: Literal["audio", "talk_detect", "app_amd"] = Field(
        default="audio",
        description="audio: our own, in media workers; talk_detect: Asterisk tells when somebody talks, and nobody "
        "hears what; app_amd: Asterisk's own AMD(). The last two need no worker, and err far more often",
    )
    profile: Literal["asterisk", "vicidial"] = Field(
        default="vicidial", description="what talk_detect and app_amd expect of a person: whose published numbers"
    )
    words: Flag = Field(
        default=False,
        description="audio: a recogniser also writes down what is said, as phrases of mailboxes ('leave a message') "
        "tell much. Costs half a second of the processor a call, and 0.4 GB a media worker; needs "
        "centralita[recognition]. Media workers read it when they start",
    )


class Site(Definition):
    """`config/site.yaml`: this installation."""

    site: Name = Field(description="a short name; part of every id")
    title: str = ""
    time_zone: TimeZone = Field(default="Europe/Madrid", description="IANA name")
    country: Country = Field(
        default="ES",
        description="how national numbers are read, and whose ringing callers hear (Spain's where no other is known)",
    )
    languages: tuple[LanguageTag, ...] = Field(default=("es", "en"), min_length=1)
    sip: Sip = Sip()
    asterisk_http_port: Port = 8088
    asterisk_manager_port: Port = 5038
    api_port: Port = Field(default=8008, description="health and metrics, on loopback")
    desk_port: Port = Field(default=8009, description="pages and API for people")
    desk_bind: str = Field(default="127.0.0.1", description="the address the desk listens on")
    desk_url: str = Field(
        default="",
        pattern=r"^(https?://[^/?#\s]+)?$",
        description="where a TLS front publishes the desk, `https://desk.example.com`; it must set X-Forwarded-For",
    )
    upload_mb: int = Field(default=250, ge=1, le=10_000, description="the largest list people may send to the desk")
    nodes: tuple[RemoteNode, ...] = Field(default=(), description="more Asterisks beside the local one")
    drain_s: Count = Field(default=30, description="how long a stop waits for calls in progress to end")
    max_interactions: Count = Field(default=400, ge=1, description="more callers than this are refused at the door")
    leg_limit_s: Count = Field(default=4 * 3600, ge=1, le=86_400, description="no leg lives longer")
    media_workers: Count = Field(
        default=2, le=64, description="processes that listen to live audio (answering machines, speech); 0: none"
    )
    detection: Detection = Detection()
    absence: Absence = Absence()
    voices: tuple[Literal["kokoro", "espeak", "fake"], ...] = Field(
        default=("kokoro", "espeak"), min_length=1, description="who speaks prompts, the preferred voice first"
    )
    database: str = Field(default="", description="SQLAlchemy URL; empty: SQLite in the state directory")
    keep_journal_days: Count = Field(default=90, description="events older than this are deleted")
    keep_recordings_days: Count = Field(
        default=0, description="voicemail and recorded conversations older than this are deleted; 0: never"
    )
    seal_recordings: Flag = Field(
        default=True, description="kept recordings are encrypted under their contact's key; no: plain WAV files"
    )
    compliance: tuple[Name, ...] = Field(
        default=(), description="rule packs of config/compliance/ that hold for every number that names none itself"
    )
    routing: Routing = Field(default_factory=Routing, description="what holds for every queue and agent")


class Number(Definition):
    """`config/numbers/*.yaml`: which flow answers a dialled number."""

    number: str | None = Field(default=None, description="`100`, `+34911234567`; with or without country, `00` or `+`")
    range: tuple[str, str] | None = Field(default=None, description="first and last number, both included")
    default: Flag = Field(default=False, description="answers what no other entry matches")
    flow: Name
    language: LanguageTag | None = None
    calendar: Name | None = Field(default=None, description="outside of it `closed_flow` answers")
    closed_flow: Name | None = None
    identity: PhoneNumber | None = Field(default=None, description="shown when its flow calls out; else the rule's")
    compliance: tuple[Name, ...] | None = Field(
        default=None, description="rule packs that hold here; the site's unless given, `[]` where no customers call"
    )

    @model_validator(mode="after")
    def _one_way_to_match(self) -> Number:
        if sum((self.number is not None, self.range is not None, self.default)) != 1:
            raise fault("it matches nothing or in two ways", "give exactly one of number, range, default: yes")
        if self.closed_flow is not None and self.calendar is None:
            raise fault("closed_flow has no calendar", "name the calendar that says when it answers")
        if self.calendar is not None and self.closed_flow is None:
            raise fault("calendar does nothing alone", "name the flow that answers outside of it: `closed_flow: …`")
        for text in (self.number, *(self.range or ())):
            if text is not None and not text.removeprefix("+").replace("*", "").replace("#", "").isdigit():
                raise fault(f"'{text}' is no number", "digits, with or without a leading +")
        if self.range is not None:
            first, last = (text.lstrip("+") for text in self.range)
            numbers = [text.lstrip("*#") for text in (first, last)]
            signs = {text[: len(text) - len(number)] for text, number in zip((first, last), numbers, strict=True)}
            if not all(map(str.isdigit, numbers)) or len(signs) > 1 or len(first) != len(last) or first > last:
                raise fault("this is no range", "two numbers of equal length, the smaller one first")
        return self


class Device(Definition):
    """`config/devices/*.yaml`: a phone. Its secret is generated; `centralita accounts` shows it."""

    device: Name
    title: str = ""
    node: Name | None = Field(default=None, description="the Asterisk it registers at; the local one unless given")
    caller: str | None = Field(default=None, description="the number its calls show")
    transport: Literal["udp", "tcp", "tls"] | None = None
    codecs: tuple[Literal["alaw", "ulaw", "g722", "opus", "gsm"], ...] = ("alaw", "ulaw", "g722", "opus")
    language: LanguageTag | None = None
    max_contacts: Count = 1
    trial: Flag = Field(default=False, description="what `centralita phone` is unless --account says otherwise")
    srtp: Flag = Field(default=False, description="its audio is encrypted, or it has no calls; needs transport: tls")
    webrtc: Flag = Field(default=False, description="a browser's phone: SIP over WebSocket, encrypted audio")

    @model_validator(mode="after")
    def _encrypted_or_not(self) -> Device:
        if self.webrtc and (self.srtp or self.transport is not None):
            raise fault("a browser's phone has its own transport and encryption", "take out transport and srtp")
        if self.srtp and self.transport != "tls":
            raise fault("srtp sends its keys in the open here", "add transport: tls, and tls_port in config/site.yaml")
        return self


class Registration(Definition):
    """We register at the carrier. The password is in the state directory's secrets under `trunk/<name>`, or here."""

    username: str
    password: str | None = None
    expires_s: Count = 600

    @field_validator("password")
    @classmethod
    def _fits(cls, value: str | None) -> str | None:
        if value is not None and (why := unfit(value)):
            raise fault(f"Asterisk's files cannot hold this password: {why}", "ask the carrier for another one")
        return value


class Trunk(Definition):
    """`config/trunks/*.yaml`: a carrier, known by its address or by our registration."""

    trunk: Name
    host: str
    node: Name | None = Field(default=None, description="the Asterisk it is connected to; the local one unless given")
    port: Count = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    addresses: tuple[str, ...] = Field(default=(), description="networks its calls come from; its host if empty")
    registration: Registration | None = None
    codecs: tuple[Literal["alaw", "ulaw", "g722", "opus", "gsm"], ...] = ("alaw", "ulaw")
    caller: str | None = Field(
        default=None, description="the number our calls show; the registration's username unless given, if it is one"
    )
    dialled_from: Literal["request", "to"] = "request"
    dtmf: Literal["rfc4733", "info", "inband", "auto"] = "rfc4733"
    srtp: Flag = Field(default=False, description="its audio is encrypted, or there is no call; needs transport: tls")
    watch_s: Count = Field(
        default=60,
        description="how often it is asked whether it is there (SIP OPTIONS); while it owes one nothing goes over "
        "it. 0: never, for carriers that answer no OPTIONS",
    )

    @property
    def shown(self) -> str:
        """The number that calls over it show; empty: none, which many carriers refuse."""
        username = self.registration.username if self.registration else ""
        return self.caller or (username if _A_NUMBER.fullmatch(username) else "")

    @model_validator(mode="after")
    def _keys_are_secret(self) -> Trunk:
        if self.srtp and self.transport != "tls":
            raise fault("srtp sends its keys in the open here", "add transport: tls, and tls_port in config/site.yaml")
        return self


_FAILOVER = "trunks that take its calls, in this order, when `trunk` is away or refuses before it rings"


class OutboundRule(Definition):
    """The rule with the longest matching prefix decides. Without `trunk` it forbids."""

    name: Name
    prefixes: tuple[str, ...] = Field(min_length=1)
    trunk: Name | None = None
    failover: tuple[Name, ...] = Field(default=(), description=_FAILOVER)
    caller: str | None = None
    hourly: Count = Field(default=0, description="at most this many calls an hour; 0: no cap")


class Emergency(Definition):
    numbers: tuple[Digits, ...] = ("112",)
    trunk: Name | None = None
    failover: tuple[Name, ...] = Field(default=(), description=_FAILOVER)


class Outbound(Definition):
    """`config/outbound.yaml`: what may be dialed. What no rule names is refused; emergency numbers never are."""

    emergency: Emergency = Emergency()
    rules: tuple[OutboundRule, ...] = ()


class HttpHost(Definition):
    """A system that flows may ask."""

    host: str
    port: Count | None = None
    http: Flag = Field(default=False, description="unencrypted requests allowed")
    private: Flag = Field(default=False, description="it may live at a private or loopback address")
    headers: dict[str, str] = Field(
        default_factory=dict, description="sent with each request; `secret:NAME` takes it from the secrets"
    )
    tenants: tuple[Name, ...] = Field(default=(), description="whose flows and campaigns may ask it; all unless given")


class Http(Definition):
    """`config/http.yaml`: the hosts flows may ask; nothing else is ever contacted."""

    hosts: tuple[HttpHost, ...] = ()
