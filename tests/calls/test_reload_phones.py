"""`reload` with new phones: they register at once, and the watcher sees them."""

import asyncio
import json
import os
import signal

import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.home import SecretBox
from telephony.softphone.errors import CallEnded, RegistrationFailed
from tests.recovery.test_engine_kill import FLOW


async def test_a_phone_added_to_the_configuration_can_register_after_a_reload(system, softphone):
    running = await system({"hold": FLOW}, workers=("node_watch",))
    with pytest.raises(RegistrationFailed):
        await softphone.register("main-1003", "not-yet-known", port=running.node.sip_port)
    (running.home.project / "config/devices/1003.yaml").write_text('device: "1003"\n')
    answer = await running.reload()
    assert answer["reloaded"], answer
    secret = json.loads((running.home.state / "secrets.json").read_text())["device/main-1003"]
    await softphone.register("main-1003", secret, port=running.node.sip_port)
    call = await softphone.call(f"sip:100@{running.sip}")
    await call.until("confirmed")
    await call.hangup()
    await running.until_idle()
    for _ in range(100):
        seen = (await running.status())["node"]
        if seen.get("devices"):
            break
        await asyncio.sleep(0.2)
    assert seen["well"]
    assert any("main-1003" in device for device in seen["devices"])


async def test_what_a_reload_brought_survives_asterisk_and_engine_and_ports_wait_for_a_start(system, softphone):
    running = await system({"hold": FLOW})
    project = running.home.project
    (project / "config" / "devices" / "1003.yaml").write_text('device: "1003"\n')
    (project / "config" / "devices" / "1002.yaml").unlink()
    site = project / "config" / "site.yaml"
    site.write_text(site.read_text().replace(f"port: {running.node.sip_port}", "port: 5999"))
    told = await running.reload()
    assert told["reloaded"] is True
    assert any("sip_port" in problem for problem in told["problems"]), told

    launcher = running.supervisor.launcher
    asterisk, engine = launcher.pid, running.engine_pid
    os.kill(asterisk, signal.SIGKILL)
    await running.until(lambda body: launcher.pid not in (None, asterisk) and body["ready"], 60)
    running.kill_engine()
    await running.until(lambda body: body["ready"] and running.engine_pid != engine, 60)
    phones = SecretBox(running.home.state / "secrets.json").named("device/")
    await softphone.register("main-1003", phones["main-1003"], port=running.node.sip_port)
    with pytest.raises(RegistrationFailed):
        await softphone.register("main-1002", phones["main-1002"], port=running.node.sip_port)
    call = await softphone.call(f"sip:100@{running.sip}")
    await call.until("confirmed")
    await call.hangup()


async def test_a_phone_that_was_lost_gets_another_password_and_the_old_one_ends_at_once(system, softphones):
    lost, new, caller = await softphones(), await softphones(), await softphones()
    running = await system({"hold": FLOW})
    port, old = running.node.sip_port, running.account("main-1002")
    await lost.register("main-1002", old, port=port)
    await caller.register("main-1001", running.account("main-1001"), port=port)
    call = await caller.call(f"sip:1002@{running.sip}")
    await (await lost.incoming()).until("early")
    await call.hangup()

    asked = ["accounts", "1002", "--new-password", "--json", "--project", str(running.home.project)]
    told = await asyncio.to_thread(
        CliRunner().invoke, app, asked, env={"CENTRALITA_STATE": str(running.home.state)}, catch_exceptions=False
    )
    assert told.exit_code == 0, told.output
    (account,) = json.loads(told.stdout)
    assert account["password"] != old
    call = await caller.call(f"sip:1002@{running.sip}")
    with pytest.raises(CallEnded):
        await call.until("confirmed")
    with pytest.raises(RegistrationFailed):
        await lost.register("main-1002", old, port=port)
    await new.register("main-1002", account["password"], port=port)
    call = await caller.call(f"sip:1002@{running.sip}")
    await (await new.incoming()).answer()
    await call.until("confirmed")
    await call.hangup()


async def test_a_password_written_into_the_secrets_counts_after_a_reload(system, softphone):
    running = await system({"hold": FLOW})
    file = running.home.state / "secrets.json"
    secrets = json.loads(file.read_text())
    file.write_text("{")
    assert "secrets.json" in str((await running.reload())["problems"])
    file.write_text(json.dumps(secrets | {"device/main-1002": "chosen-by-hand-1"}))
    assert (await running.reload())["reloaded"]
    await softphone.register("main-1002", "chosen-by-hand-1", port=running.node.sip_port)
