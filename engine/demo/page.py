"""`demo.html`: what the caller heard, the way she was led, and when what happened; one file, no network."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from engine.demo.call import Shown
from ivr.draw import draw
from speech.errors import RecogniserUnavailable
from speech.hearing import heard

_WORDS = {
    "node": "goes to",
    "hears": "hears",
    "presses": "presses",
    "engine": "engine",
    "queue": "queue",
    "agent": "agent",
    "records": "recording",
    "why": "because",
    "phone": "says",
    "ends": "end",
}


@dataclass(frozen=True, slots=True)
class Row:
    at: str
    seconds: float
    kind: str
    word: str
    text: str


NOT_RECOGNISED = "(not recognised: no recogniser is installed; pip install 'centralita[recognition]')"


def recognised(wav: Path) -> str | None:
    """What a machine understands of it; None when there is no such machine. What is no sound is nothing."""
    try:
        return heard(wav, "es")
    except RecogniserUnavailable:
        return None
    except ValueError:
        return ""


def write(shown: Shown, caller_heard: str | None, agent_heard: str | None, file: Path) -> None:
    """`caller_heard`, `agent_heard`: in words; None: nobody could tell."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["j2"]), undefined=StrictUndefined
    )
    flows = list(dict.fromkeys(flow for flow, _ in shown.path))
    drawings = []
    for flow_id in flows:
        flow = shown.configuration.release.flow("main", flow_id)
        if flow is not None:
            path = [node for name, node in shown.path if name == flow_id]
            drawings.append((flow.name("en"), Markup(draw(flow, path=path, language="es"))))  # noqa: S704 - our own SVG
    rows = [
        Row(
            f"{beat.at_s - shown.began_s:+.1f} s",
            max(0.0, beat.at_s - shown.began_s),
            beat.kind,
            _WORDS[beat.kind],
            beat.text,
        )
        for beat in sorted(shown.beats, key=lambda beat: beat.at_s)
        if beat.text
    ]
    page = environment.get_template("page.html.j2").render(
        audio=base64.b64encode(shown.wav.read_bytes()).decode(),
        agent_audio=base64.b64encode(shown.agent_wav.read_bytes()).decode(),
        recognised=caller_heard if caller_heard is not None else NOT_RECOGNISED,
        agent_recognised=agent_heard if agent_heard is not None else NOT_RECOGNISED,
        away_s=f"{shown.away_s:.1f}",
        interaction_id=shown.interaction_id,
        state=shown.wav.parent,
        rows=rows,
        drawings=drawings,
    )
    file.write_text(page, encoding="utf-8")
