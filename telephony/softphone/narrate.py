"""What a phone tells, as sentences for a person."""

from __future__ import annotations

import re

from telephony.softphone.events import Event
from telephony.softphone.sip_text import hint_for_call


def sentence(event: Event) -> str | None:
    """One line, or None for what a person need not see."""
    told = event.fields
    match event.name:
        case "registered":
            return f"registered as {told['account']}"
        case "unregistered":
            return f"{told['account']} is no longer registered"
        case "registration_failed":
            return f"not registered: {told['code']} {told['reason']}: {told['hint']}"
        case "incoming":
            return f"{party(told['from'])} calls"
        case "call_state":
            return _call_state(event)
        case "media_state" if told["state"] == "remote_hold":
            return "the other side put you on hold"
        case "media_state" if told["state"] == "local_hold":
            return "on hold"
        case "dtmf_sent":
            return f"you pressed {told['digit']}"
        case "dtmf_received":
            return f"the other side pressed {told['digit']}"
        case "playing":
            return f"playing {told['path']}"
        case "played" if told["finished"]:
            return f"played {told['path']}"
        case "recorded":
            return f"recorded {told['seconds']:.1f} s to {told['path']}"
        case "transfer_status" if told["final"]:
            done = 200 <= told["code"] < 300
            return "transferred" if done else f"transfer refused: {told['code']} {told['reason']}"
        case "request_failed":
            return f"{told['method']} refused: {told['code']} {told['reason']}"
        case "error":
            return f"{told['what']}: {told['hint']}" if told["hint"] else told["what"]
    return None


def _call_state(event: Event) -> str | None:
    code, reason = event["code"], event["reason"]
    match event["state"]:
        case "calling":
            return "calling"
        case "early" if code == 180:
            return "it rings"
        case "early":
            return "the other side sends sound before answering"
        case "confirmed":
            return "connected"
        case "disconnected" if code >= 300 and event["by"] == "them":
            hint = hint_for_call(code, reason)
            return f"not connected: {code} {reason}" + (f": {hint}" if hint else "")
        case "disconnected":
            return "you hung up" if event["by"] == "us" else "the other side hung up"
    return None


def party(address: str) -> str:
    """`"Ana" <sip:1000@host>;tag=x` as `Ana (1000)`."""
    found = re.match(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<?sips?:([^@;>]+)', address)
    if found is None:
        return address or "somebody"
    name, number = (found.group(1) or found.group(2) or "").strip(), found.group(3)
    return f"{name} ({number})" if name and name != number else number
