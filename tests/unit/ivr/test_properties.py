"""Random flows × random facts in any order: what must hold whatever happens."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import commands as c
from core import events as e
from core import leg_commands as legs
from core.decisions import NodeEntered
from core.leg import EndReason
from definitions.problems import Problems
from ivr import interpreter, snapshot
from ivr.calendars import Calendar
from ivr.guard import QUICK_VISITS
from ivr.interpreter import Start, Step, World
from ivr.nodes import VERBS
from ivr.run import FlowRun
from ivr.scenario.tiny import tiny_release
from ivr.tables import Table

LEG, CALL = "leg-1", "i-1"
KEYS = "0123456789*#"


def _table() -> Table:
    table = Table.from_csv("vips", "phone,name\n+34600000001,Ana\n", "vips.csv", "ES")
    assert not isinstance(table, Problems)
    return table


VIPS = _table()
OFFICE = Calendar.model_validate({"time_zone": "Europe/Madrid", "hours": {"mon-fri": "9:00-15:00"}})


# -- random flows ------------------------------------------------------------------------------------
def _prompt(rng: random.Random) -> Any:
    texts: list[Any] = [
        "Hola",
        {"es": "Hola {{ a }}", "en": "Hello"},
        {"sound": "vm-intro"},
        "Hola {{ missing }}",
        "{{ secret | digits }}",
        {"play": [{"es": "Debe", "en": "You owe"}, {"money": "{{ a }}", "currency": "EUR"}], "barge_in": "no"},
        {"play": [{"es": "Hola"}], "recording_notice": "yes"},
    ]
    return rng.choice(texts)


def _node(rng: random.Random, kind: str, names: list[str]) -> dict[str, Any]:
    def to() -> str:
        return rng.choice(names)

    def maybe(**keys: Any) -> dict[str, Any]:
        return {key: value for key, value in keys.items() if rng.random() < 0.5}

    retry = {"retries": str(rng.randrange(3)), **maybe(prompt=_prompt(rng), then=to())}
    bodies: dict[str, dict[str, Any]] = {
        "play": {"prompt": _prompt(rng), "next": to(), **maybe(answer="no")},
        "menu": {
            "prompt": _prompt(rng),
            "keys": {"1": to(), "12": to(), "9": {"language": "en"}, "*": {"repeat": "yes"}},
            **maybe(no_input=retry, no_match=retry, into="a"),
        },
        "collect": {
            "prompt": _prompt(rng),
            "digits": rng.choice(["1-3", "2", "4-8"]),
            "into": rng.choice(["a", "secret"]),
            "sensitive": rng.choice(["yes", "no"]),
            "next": to(),
            **maybe(
                validate=[rng.choice([{"kind": "range", "max": "50"}, "luhn", {"kind": "document", "country": "es"}])],
                confirm={"prompt": "{{ value | digits }}"},
                no_match=retry,
                no_input=retry,
                restart="*",
            ),
        },
        "set": {
            "values": {rng.choice("ab"): rng.choice(["{{ a + 1 }}", "x", "{{ secret }}", "{{ 1 / 0 }}"])},
            "next": to(),
        },
        "branch": {
            "branches": [{"when": rng.choice(["a > 1", "missing", "language == 'es'"]), "next": to()}],
            "else": to(),
        },
        "hours": {
            "calendar": "office",
            "open": to(),
            "closed": to(),
        },
        "toggle": rng.choice(
            [
                {"toggle": "t", "on": to(), "off": to()},
                {"toggle": "t", "mode": "flip", "pin": "1234", "prompt": "PIN", "on_prompt": "si", "next": to()},
            ]
        ),
        "http": {
            "url": "https://crm.example/{{ a }}",
            "method": rng.choice(["GET", "POST"]),
            "into": {"a": "x"},
            "next": to(),
            **maybe(hold={"prompt": "Un momento", "music": "default"}, on={"404": to(), "5xx": to()}, sensitive="yes"),
        },
        "lookup": {
            "table": "vips",
            "column": "phone",
            "value": "{{ caller }}",
            "into": {"b": "name"},
            "found": to(),
            "not_found": to(),
        },
        "language": {"language": rng.choice(["en", "es", "{{ a }}"]), "next": to()},
        "record": {
            "mailbox": "m",
            "next": to(),
            **maybe(prompt=_prompt(rng), review={"prompt": "1 2 3"}, labels={"x": "{{ missing }}"}, no_input=retry),
        },
        "queue": {"queue": "q", **maybe(keys={"1": to()}, no_agents=to(), answered=to(), next=to())},
        "transfer": {"to": rng.choice(["device:1001", "{{ a }}"]), **maybe(busy=to(), answered=to(), next=to())},
        "subflow": {
            "flow": rng.choice(["main", "other"]),
            "with": {"a": "{{ secret }}"},
            "into": {"secret": "b"},
            "next": to(),
        },
        "return": {"branch": "ok", "values": {"b": "{{ a }}"}},
        "survey": {
            "survey": "s",
            "questions": [
                {"name": "b", "kind": rng.choice(["csat", "nps", "yes_no"]), "prompt": _prompt(rng)},
                {"name": "d", "kind": "nps", "prompt": _prompt(rng), "optional": "yes"},
            ],
            "next": to(),
            **maybe(no_input=retry, no_match=retry),
        },
        "directory": {
            "table": "vips",
            "name": "name",
            "extension": "phone",
            "prompt": _prompt(rng),
            "choose": "{{ option }} {{ key }}",
            "into": {"b": "phone"},
            "found": to(),
            **maybe(no_input=retry, no_match=retry),
        },
        "split": {"ways": [{"percent": "30", "next": to(), "name": "x"}, {"percent": "70", "next": to()}]},
        "tag": {"tags": ["t", "{{ a }}"], "next": to()},
        "note": {"text": "{{ secret }} {{ a }}", "next": to()},
        "ticket": {"subject": "{{ a }}", "into": "b", "next": to()},
        "do_not_call": {"number": "+34911234567", "scope": "campaign", "next": to()},
        "message": {"channel": "sms", "to": "{{ caller }}", "text": "{{ a }}", "next": to(), **maybe(failed=to())},
        "callback": {
            "prompt": _prompt(rng),
            "confirm": {"prompt": "{{ value }}"},
            "into": "b",
            "next": to(),
            **maybe(number="{{ a }}", no_input=retry, no_match=retry),
        },
        "queue_status": {"queue": "q", "into": {"waiting": "b"}, **maybe(open=to(), no_agents=to(), next=to())},
        "agent": {
            "pin": "{{ secret }}",
            "into": {"presence": "b"},
            **rng.choice(
                [
                    {"do": "hold_line"},
                    {"do": "disposition", "value": "{{ a }}", "ok": to()},
                    {"do": "status", "ok": to()},
                ]
            ),
            **maybe(agent="{{ a }}", refused=to()),
        },
        "disposition": {"value": "sold/new", **maybe(answers={"a": "{{ a }}"}), "next": to()},
        "wait": {"seconds": "2", "next": to(), **maybe(music="default")},
        "hangup": {**maybe(prompt=_prompt(rng)), "reason": rng.choice(["normal", "busy"])},
    }
    return {"type": kind, **bodies[kind], **maybe(error=rng.choice([to(), {"prompt": _prompt(rng), "then": to()}]))}


def _flow(rng: random.Random) -> dict[str, Any]:
    names = [f"n{index}" for index in range(rng.randrange(2, 9))]
    return {
        "nodes": {name: _node(rng, rng.choice(sorted(VERBS)), names) for name in names},
        "variables": {"a": "1"},
        "recording_notice": {"es": "Se graba.", "en": "Recorded."},
        "defaults": rng.choice([{}, {"error": {"prompt": "Lo sentimos", "then": rng.choice(names)}}]),
    }


# -- random facts --------------------------------------------------------------------------------------
@dataclass
class Chaos:
    """A world that says true things, late things and wrong things in any order."""

    rng: random.Random
    world: World
    now_s: float = 1_767_225_600.0
    subjects: list[str] = field(default_factory=lambda: ["i-1.0.0"])
    playbacks: list[str] = field(default_factory=lambda: ["i-1.0.0"])
    timers: list[str] = field(default_factory=lambda: ["i-1.0.input"])
    orders: list[c.Command] = field(default_factory=list)

    def note(self, step: Step) -> None:
        for command in step.commands:
            self.orders.append(command)
            if subject := c.subject_of(command):
                self.subjects.append(subject)
            if isinstance(command, legs.Play):
                self.playbacks.append(command.playback_id)
            if isinstance(command, c.StartTimer):
                self.timers.append(command.timer_id)

    def fact(self, run: FlowRun) -> e.Event:
        rng = self.rng
        subject = rng.choice(self.subjects[-3:])
        likely: list[e.Event] = [e.DigitPressed(LEG, rng.choice(KEYS))]
        if run.playing:
            likely.append(e.PlaybackFinished(LEG, run.playing, rng.choice(["completed", "failed", "stopped"])))  # type: ignore[arg-type]
        likely += [e.TimerFired(CALL, timer_id) for timer_id in run.timers]
        names = ("request_id", "stay_id", "recording_id", "subject_id")
        known = next(filter(None, (getattr(run.memory, name, None) for name in names)), subject)
        rejected = rng.choice(
            [
                "Play",
                "AnswerLeg",
                "SendHttp",
                "JoinQueue",
                "StartRecording",
                "KeepRecording",
                "SetToggle",
                "StopMusic",
                "event",
            ]
        )
        rare: list[e.Event] = [
            e.PlaybackFinished(LEG, rng.choice(self.playbacks)),
            e.TimerFired(CALL, rng.choice(self.timers)),
            e.HttpReplied(CALL, known, rng.choice([200, 404, 500, 0]), {"a": "7"}, rng.choice(["", "no"])),
            e.QueueLeft(CALL, known, rng.choice(["answered", "no_agents", "abandoned", "strange"])),
            e.TransferEnded(
                CALL, getattr(run.memory, "transfer_id", subject), rng.choice(["answered", "busy", "failed"])
            ),  # type: ignore[arg-type]
            e.ToggleSet(CALL, "main", "t", rng.random() < 0.5),
            e.RecordingFinished(
                LEG,
                getattr(run.memory, "recording_id", subject),
                rng.choice([0.0, 1.0, 9.0]),
                rng.choice(["digit", "hangup"]),
            ),  # type: ignore[arg-type]
            e.RecordingFailed(LEG, subject, "disk full"),
            e.QueueStatusGiven(CALL, known, rng.choice(["open", "closed", "no_agents"]), 3, rng.choice([0.0, 900.0])),  # type: ignore[arg-type]
            e.TicketOpened(CALL, known, "T-1"),
            e.NumberKept(CALL, known),
            e.CallbackRequested(CALL, known),
            e.MessageSent(CALL, known),
            e.RecordingKept(LEG, getattr(run.memory, "recording_id", subject)),
            e.CommandRejected(CALL, "1.1", rejected, "no", LEG, rng.choice([known, run.playing])),
            e.CommandOutcomeUnknown(CALL, "1.1", "SendHttp", known),
            e.LegUp(LEG),
            e.LegAdopted(LEG, rng.random() < 0.5),
            e.LegHeld(LEG),
            e.LegRinging(LEG),
            e.LegEnded("another-leg", EndReason.HUNG_UP),
            e.DigitPressed("another-leg", "1"),
        ]
        return rng.choice(likely if rng.random() < 0.6 else rare)


def _begin(rng: random.Random) -> tuple[Chaos, Step]:
    release = tiny_release(
        {"main": _flow(rng), "other": _flow(rng)}, tables={"vips": VIPS}, calendars={"office": OFFICE}
    )
    world = World(release, {("main", "t"): rng.random() < 0.5})
    chaos = Chaos(rng, world)
    begin = Start(CALL, LEG, "main", "main", rng.choice(["es", "en"]), "+34600000001", "100", time_zone="Europe/Madrid")
    return chaos, interpreter.start(world, begin, chaos.now_s)


def _check(step: Step, now_s: float, ids: set[str]) -> None:
    run = step.run
    assert sum(isinstance(d, NodeEntered) for d in step.decisions) <= 2 * QUICK_VISITS + 2
    for command in step.commands:
        if isinstance(command, c.StartTimer):
            assert command.due_s >= now_s
        for name in ("playback_id", "request_id", "stay_id", "transfer_id"):
            if isinstance(command, legs.Play | c.SendHttp | c.JoinQueue | c.Transfer) and (
                id_ := getattr(command, name, "")
            ):
                assert id_ not in ids, "ids are never used twice"
                ids.add(id_)
    if step.ended is None:
        waiting_for_the_world = run.verb in ("queue", "transfer")
        left_a_message = getattr(run.memory, "stage", "") == "done"  # the end of the leg is on its way
        assert run.playing or run.timers or waiting_for_the_world or left_a_message, "nothing would ever happen again"
    else:
        assert run.ended
        assert not run.timers
        assert run.memory is None


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**48))
def test_whatever_happens_the_interpreter_goes_on_and_a_hangup_ends_it(seed: int) -> None:
    rng = random.Random(seed)
    chaos, step = _begin(rng)
    ids: set[str] = set()
    _check(step, chaos.now_s, ids)
    if step.ended is not None:
        return
    chaos.note(step)
    for _ in range(rng.randrange(60)):
        chaos.now_s += rng.choice([0.0, 0.0, 0.1, 1.0, 30.0])
        if rng.random() < 0.05:
            step = interpreter.resume(chaos.world, step.run, chaos.now_s)
        else:
            step = interpreter.handle(chaos.world, step.run, chaos.fact(step.run), chaos.now_s)
        if step.run.ended and step.ended is None:
            assert step == Step(step.run), "a run that has ended answers nothing"
            return
        _check(step, chaos.now_s, ids)
        chaos.note(step)
        if step.ended is not None:
            break
    else:
        before = step.run
        step = interpreter.handle(chaos.world, step.run, e.LegEnded(LEG, EndReason.HUNG_UP), chaos.now_s)
        assert step.ended is not None
        assert step.ended.outcome == "caller_hung_up"
        needs_the_leg = (
            legs.Play,
            legs.AnswerLeg,
            legs.StartMusic,
            legs.StartRecording,
            legs.StopPlayback,
            legs.HangUpLeg,
            c.StartTimer,
        )
        assert not [command for command in step.commands if isinstance(command, needs_the_leg)]
        cancelled = {command.timer_id for command in step.commands if isinstance(command, c.CancelTimer)}
        assert cancelled == set(before.timers)


def _assert_no_secret(loaded: FlowRun) -> None:
    assert loaded.typed == ""
    assert not (loaded.secret and loaded.memory is not None)
    assert not [name for frame in loaded.frames for name in frame.secrets if name in frame.variables]


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**48))
def test_a_snapshot_taken_at_any_moment_continues_as_if_nothing_had_happened(seed: int) -> None:
    rng = random.Random(seed)
    chaos, step = _begin(rng)
    chaos.note(step)
    for _ in range(rng.randrange(40)):
        if step.run.ended:
            return
        loaded = snapshot.load(snapshot.dump(step.run))
        keeps_secrets = step.run.secret or step.run.typed or any(frame.secrets for frame in step.run.frames)
        chaos.now_s += rng.choice([0.0, 0.5, 6.0])
        fact = chaos.fact(step.run)
        following = interpreter.handle(chaos.world, step.run, fact, chaos.now_s)
        if not keeps_secrets:
            assert loaded == step.run
            assert interpreter.handle(chaos.world, loaded, fact, chaos.now_s) == following
        else:
            _assert_no_secret(loaded)
            interpreter.resume(chaos.world, loaded, chaos.now_s)
        step = following
        chaos.note(step)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**48))
def test_the_same_facts_give_the_same_commands(seed: int) -> None:
    def commands() -> list[tuple[c.Command, ...]]:
        rng = random.Random(seed)
        chaos, step = _begin(rng)
        chaos.note(step)
        given_ = [step.commands]
        for _ in range(30):
            step = interpreter.handle(chaos.world, step.run, chaos.fact(step.run), chaos.now_s)
            chaos.now_s += 0.5
            chaos.note(step)
            given_.append(step.commands)
        return given_

    assert commands() == commands()
