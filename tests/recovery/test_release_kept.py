"""An engine that takes over serves what served: edited files go live by a reload, or by a new start, alone."""

from tests.recovery.test_engine_kill import FLOW
from tests.system_fixture import is_saved

EDITED = {"broken": "flow: [", "empty": "flow: hold\nnodes: {}\n", "good": FLOW.replace("Marque uno", "Pulse uno")}


async def test_a_takeover_does_not_bring_edited_files_to_life(system):
    running = await system({"hold": FLOW})
    before = (await running.status())["release"]
    for kind, edited in EDITED.items():
        (running.home.project / "flows" / "hold.yaml").write_text(edited)
        killed = running.engine_pid
        running.kill_engine()
        after = await running.until(lambda body, killed=killed: body["ready"] and running.engine_pid != killed)
        assert after["release"] == before, kind
        told = await running.reload()
        assert told["reloaded"] is (kind == "good"), told
        assert (told["release"] == before) is not told["reloaded"]
    await running.until(is_saved)
    assert running.release(before) is not None, "events refer to it: they can be replayed"
