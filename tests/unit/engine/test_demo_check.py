"""The demo fails when what was heard is not what should have been. A machine never understands it word for word."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.demo import call, page, stage
from engine.demo.call import AGENT_SAYS, CALLER_SAYS, Shown
from engine.demo.check import ANSWERS, CALLER_HEARS, NODES, misses
from engine.demo.watch import Beat
from engine.home import Home
from speech.errors import RecogniserUnavailable

CALLER = (
    "Le damos la bienvenida a Hackme, para ventas marque uno. Para atención al para mejorar nuestro servicio, esta "
    "llamada puede ser grabada. Le pasamos con ventas, no cuelgue por favor. Su posición en la cola es la número. Uno, "
    "entas. Buenas días. Hoy, en que podemos ayudar. Nos ayuda a mejorar. son tres pregú del uno al cinco como le "
    "hemos atendido, hemos resuelto su consulta, del cero al diez nos "
    "recomendaría gracias por su opinión, hasta Pronto."
)
"""As Whisper understood a real one."""
AGENT = "Ahora, soy Marta. Quiero tomarrar una línea nueva. Muchas gracias."
OTHER = (
    "Estimado cliente, el horario de nuestra oficina es de lunes a viernes. Para una avería marque uno, para un pedido "
    "marque dos. Si quiere dejar un mensaje, hable después de la señal."
)
PATH = [("reception", node) for node in ("closure", "welcome", "main", "to_sales", "sales", "survey")]
PATH += [("survey", node) for node in ("intro", "opinion", "verdict", "thanks", "goodbye", "done")]
PATH += [("reception", "hang_up")]
BEATS = [
    Beat(1.0, "engine", "kill -9"),
    Beat(2.0, "engine", "a new engine has the call"),
    *(Beat(3.0, "why", f"survey satisfaction: {answer}") for answer in ANSWERS),
]
HEARS = (*CALLER_HEARS, AGENT_SAYS)


def told(caller: str | None = CALLER, agent: str | None = AGENT, path=None, beats=None) -> list[str]:
    return misses(
        caller, agent, HEARS, (CALLER_SAYS,), PATH if path is None else path, BEATS if beats is None else beats
    )


def test_a_call_as_it_should_be_has_no_misses() -> None:
    assert told() == []


@pytest.mark.parametrize("caller", ["", "música", OTHER])
def test_who_heard_nothing_or_something_else_is_told_of(caller: str) -> None:
    found = told(caller=caller)
    assert len(found) >= len(HEARS) - 1
    assert f"the caller did not hear: {AGENT_SAYS}" in found


@pytest.mark.parametrize("lost", ["gracias por su opinión, hasta Pronto", "esta llamada puede ser grabada"])
def test_one_prompt_that_was_not_heard_is_enough(lost: str) -> None:
    assert lost in CALLER
    assert 1 <= len(told(caller=CALLER.replace(lost, ""))) <= 2


def test_an_agent_who_did_not_hear_the_caller_is_told_of() -> None:
    assert told(agent="") == [f"the agent did not hear: {CALLER_SAYS}"]


def test_without_a_recogniser_the_way_is_checked_all_the_same() -> None:
    assert told(caller=None, agent=None) == []
    assert told(caller=None, agent=None, path=PATH[:-1]) == ["the caller was not led to hang_up in her turn"]


def test_she_is_led_in_order_and_not_twice() -> None:
    assert set(NODES) <= {node for _, node in PATH}
    assert told(path=PATH[:3] + PATH[2:]) == ["the caller was at main 2 times"]
    assert any("sales" in miss for miss in told(path=[step for step in PATH if step[1] != "sales"]))


def test_what_she_answered_is_written_down_and_the_engine_was_replaced() -> None:
    assert told(beats=BEATS[:-1]) == [f"her answer is not written down: {ANSWERS[-1]}"]
    assert told(beats=BEATS[1:]) == ["no other engine took the call over"]


# -- the command ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("caller", "code"), [(CALLER, 0), (OTHER, 1), (None, 0)])
def test_the_command_fails_when_it_was_not_heard(
    caller: str | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(__file__).resolve().parents[3]
    configuration = load(read_sources(project)).configuration
    assert configuration is not None
    for name in ("caller.wav", "agent.wav"):
        (tmp_path / name).write_bytes(b"RIFF")

    async def play(home: Home, *_: object) -> Shown:
        wavs = (tmp_path / "caller.wav", tmp_path / "agent.wav")
        return Shown(configuration, "i-1", *wavs, 0.0, 1.5, tuple(BEATS), tuple(PATH))

    def heard(wav: Path, language: str) -> str:
        if caller is None:
            raise RecogniserUnavailable("none")
        return caller if wav.name == "caller.wav" else AGENT

    monkeypatch.setattr(stage, "build", lambda project, place: Home(project, tmp_path / "state"))
    monkeypatch.setattr(call, "play", play)
    monkeypatch.setattr(page, "heard", heard)
    done = CliRunner().invoke(app, ["demo", "--project", str(project), "--page", str(tmp_path / "demo.html")])
    assert done.exit_code == code, done.output
    assert (tmp_path / "demo.html").exists(), "there is a page to look at in any case"
    assert ("did not hear" in done.stderr) == bool(code)
