"""A message is filed with whose it is, also when her call is over by then."""

import json
from pathlib import Path

from core.events import LegArrived, LegEnded, LegUp, RecordingFinished
from core.leg import EndReason
from core.leg_commands import KeepRecording
from engine import interactions
from engine.arrivals import arrive
from engine.config.numbers import NumberPlan, Route
from engine.config.outbound import OutboundRules
from engine.effects.recordings import Mailboxes
from engine.interaction import Surroundings
from ivr.loader import Context, load
from store.cipher import ContactCipher

FLOW = """
flow: mail
languages: [es]
start: voicemail
nodes:
  voicemail: {type: record, mailbox: sales, beep: no, labels: {topic: "order"}, next: bye}
  bye: {type: hangup}
"""


class Media:
    """Notes where recordings go, and lets them lie there."""

    def __init__(self):
        self.kept = []

    async def keep_recording(self, leg_id, recording_id, destination):
        self.kept.append((leg_id, recording_id, destination))
        Path(destination).touch()


async def test_who_hung_up_is_on_her_message(tmp_path):
    loaded = load({"tenants/acme/flows/mail.yaml": FLOW}, Context(languages=("es",)))
    assert loaded.release is not None, str(loaded.problems)
    plan = NumberPlan({}, (), {"main": Route("acme", "mail", "", "default")})
    around = Surroundings({loaded.release.id: loaded.release}, loaded.release.id, plan, OutboundRules(()))
    interaction = arrive(LegArrived("c", "n", "100", "+34600123123"), around, 1.0).interaction
    commands = []
    for event in (
        LegUp("c"),
        RecordingFinished("c", interaction.run.memory.recording_id, 5.0, "hangup"),
        LegEnded("c", EndReason.HUNG_UP),
    ):
        turn = interactions.handle(interaction, event, around, 2.0)
        interaction, commands = turn.interaction, [*commands, *turn.commands]
    assert interaction.is_closed
    (keep,) = [command for command in commands if isinstance(command, KeepRecording)]
    media = Media()
    with ContactCipher.open(tmp_path / "keys") as cipher:
        await Mailboxes(tmp_path / "voicemail", media, cipher, lambda: False).keep(keep, 1_767_225_600.0)
    ((leg_id, _, destination),) = media.kept
    assert leg_id == "c"
    assert destination.startswith(f"{tmp_path}/voicemail/acme/sales/20260101T000000Z-")
    (file,) = (tmp_path / "voicemail" / "acme" / "sales").glob("*.json")
    labels = json.loads(file.read_text())
    assert (labels["caller"], labels["called"], labels["topic"]) == ("+34600123123", "100", "order")
