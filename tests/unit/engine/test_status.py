"""What the engine says of itself."""

from types import SimpleNamespace

from engine import engine, spool


async def test_a_status_is_of_one_moment(monkeypatch):
    """Whoever finds a call gone from it may rely on the journal's numbers: they count the call's end."""
    runtime = SimpleNamespace(
        interactions={"i-1": None},
        work=dict,
        routing=SimpleNamespace(floor=dict),
        lost_recordings=SimpleNamespace(count=0),
    )
    journal = SimpleNamespace(last_seq=7, durable_seq=7)

    async def left(spools, known):
        runtime.interactions.clear()
        journal.last_seq = 8
        return 0

    async def ready():
        return {}

    monkeypatch.setattr(spool, "left", left)
    monkeypatch.setattr(engine, "projected", lambda home: (0, 0))
    seen = SimpleNamespace(
        ready=ready,
        runtime=runtime,
        journal=journal,
        spools=(),
        home=None,
        http=(),
        problems=[],
        doing="",
        seen_node=dict,
        renderer=SimpleNamespace(progress=lambda: None),
        clock=SimpleNamespace(now_s=lambda: 0.0, drift_s=lambda: 0.0),
        configuration=SimpleNamespace(site=SimpleNamespace(site="t"), release_id="r"),
    )
    said = await engine.Engine.status(seen)
    assert (said["interactions"], said["journal"]) == ([], {"last_seq": 8, "durable_seq": 7})
