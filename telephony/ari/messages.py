"""What Asterisk says over an ARI WebSocket: only the types and fields that are used.

`decode` gives one of `Message`, or None for a type nobody listens to. Events carry the time as Asterisk wrote it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class CallerId(msgspec.Struct, frozen=True):
    name: str = ""
    number: str = ""


class Dialplan(msgspec.Struct, frozen=True):
    app_name: str = ""
    app_data: str = ""
    context: str = ""


class Channel(msgspec.Struct, frozen=True):
    """A channel as `GET /channels` and `StasisStart` show it. `creationtime`: ISO 8601 with an offset."""

    id: str
    name: str = ""
    state: str = ""
    caller: CallerId = CallerId()
    dialplan: Dialplan = Dialplan()
    creationtime: str = ""


class ChannelRef(msgspec.Struct, frozen=True):
    id: str
    state: str = ""
    creationtime: str = ""


class PlaybackRef(msgspec.Struct, frozen=True):
    id: str
    target_uri: str = ""
    state: str = ""


class RecordingRef(msgspec.Struct, frozen=True):
    name: str
    target_uri: str = ""
    state: str = ""
    cause: str = ""


class Bridge(msgspec.Struct, frozen=True):
    id: str
    name: str = ""
    channels: list[str] = []


class MediaChannel(msgspec.Struct, frozen=True):
    """One of external media, as it is made. `channelvars`: where it is to be reached."""

    id: str
    channelvars: dict[str, str] = {}


class Variable(msgspec.Struct, frozen=True):
    value: str = ""


class Application(msgspec.Struct, frozen=True):
    channel_ids: list[str] = []
    bridge_ids: list[str] = []


class RestResponse(msgspec.Struct, frozen=True, tag_field="type", tag="RESTResponse"):
    request_id: str
    status_code: int
    reason_phrase: str = ""
    message_body: str = ""


class StasisStart(msgspec.Struct, frozen=True, tag_field="type"):
    channel: Channel
    args: list[str] = []


class StasisEnd(msgspec.Struct, frozen=True, tag_field="type"):
    channel: ChannelRef
    timestamp: str = ""


class ChannelStateChange(msgspec.Struct, frozen=True, tag_field="type"):
    channel: ChannelRef


class ChannelHold(msgspec.Struct, frozen=True, tag_field="type"):
    channel: ChannelRef


class ChannelUnhold(msgspec.Struct, frozen=True, tag_field="type"):
    channel: ChannelRef


class ChannelDtmfReceived(msgspec.Struct, frozen=True, tag_field="type"):
    channel: ChannelRef
    digit: str


class ChannelTalkingStarted(msgspec.Struct, frozen=True, tag_field="type"):
    channel: ChannelRef


class ChannelTalkingFinished(msgspec.Struct, frozen=True, tag_field="type"):
    """After as much silence as TALK_DETECT was told. `duration`: of the talk before that, ms; where hardly anything was
    heard, less than 0."""

    channel: ChannelRef
    duration: int = 0


class ChannelHangupRequest(msgspec.Struct, frozen=True, tag_field="type"):
    """`cause` is a Q.850 cause when `soft` is false, else Asterisk's flags of soft hangups."""

    channel: ChannelRef
    cause: int = 0
    soft: bool = False


class ChannelDestroyed(msgspec.Struct, frozen=True, tag_field="type"):
    """`cause`: Q.850. `tech_cause`: the SIP status, 0 when there was none."""

    channel: ChannelRef
    cause: int = 0
    tech_cause: int = 0


class Dial(msgspec.Struct, frozen=True, tag_field="type"):
    """`dialstatus`: RINGING, PROGRESS, PROCEEDING, ANSWER, BUSY...; empty when dialing began."""

    peer: ChannelRef
    dialstatus: str = ""


class PlaybackFinished(msgspec.Struct, frozen=True, tag_field="type"):
    playback: PlaybackRef


class RecordingFinished(msgspec.Struct, frozen=True, tag_field="type"):
    recording: RecordingRef


class RecordingFailed(msgspec.Struct, frozen=True, tag_field="type"):
    recording: RecordingRef


class ApplicationReplaced(msgspec.Struct, frozen=True, tag_field="type"):
    """Another connection took our application name: nothing more will come over this one."""

    application: str = ""


class ChannelUserevent(msgspec.Struct, frozen=True, tag_field="type"):
    """What we asked Asterisk to tell ourselves."""

    eventname: str = ""


Event = (
    StasisStart
    | StasisEnd
    | ChannelStateChange
    | ChannelHold
    | ChannelUnhold
    | ChannelDtmfReceived
    | ChannelTalkingStarted
    | ChannelTalkingFinished
    | ChannelHangupRequest
    | ChannelDestroyed
    | Dial
    | PlaybackFinished
    | RecordingFinished
    | RecordingFailed
    | ApplicationReplaced
    | ChannelUserevent
)
Message = RestResponse | Event

EVENT_NAMES: tuple[str, ...] = tuple(cls.__name__ for cls in Event.__args__)


class _Type(msgspec.Struct):
    type: str = ""


_message: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_type = msgspec.json.Decoder(_Type)


def decode(text: bytes) -> Message | None:
    """The message, or None when its type is none of ours.

    Raises:
        ValueError: not JSON, or one of ours without the fields it must have.
    """
    try:
        return _message.decode(text)
    except msgspec.ValidationError as problem:
        kind = _type.decode(text).type
        if kind in EVENT_NAMES or kind == "RESTResponse":
            raise ValueError(f"{kind}: {problem}") from problem
        return None


class RestRequest(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="RESTRequest"):
    request_id: str
    method: str
    uri: str
    content_type: str = ""
    message_body: str = ""


encode_request = msgspec.json.Encoder().encode
channel_decoder = msgspec.json.Decoder(Channel)
channels_decoder = msgspec.json.Decoder(list[Channel])
media_decoder = msgspec.json.Decoder(MediaChannel)
variable_decoder = msgspec.json.Decoder(Variable)
bridges_decoder = msgspec.json.Decoder(list[Bridge])
application_decoder = msgspec.json.Decoder(Application)


def seconds(timestamp: str) -> float:
    """UTC seconds of Asterisk's `2026-11-21T21:22:16.699+0000`; 0.0 when it is none."""
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return 0.0
