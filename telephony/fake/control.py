"""`FakeCallControl`: all ports in memory, with callers that tests can play."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core.errors import CommandRefused, LegGone, TrunkAway
from core.events import LegArrived
from core.leg import EndReason
from core.leg_commands import ListenToLeg, OriginateLeg, StartRecording, trunk_of
from core.ports import FoundLeg, Survey
from telephony.control import names
from telephony.fake.party import Party
from telephony.fake.stage import Stage


class FakeCallControl(Stage):
    """All ports, on a `Stage` that says what they meet."""

    # -- life, as the real one has it
    async def start(self, timeout_s: float = 10.0) -> None:
        self._on_gap(self.node, "back")

    async def close(self) -> None:
        self.connected = False

    def connected_nodes(self) -> Sequence[str]:
        return [self.node] if self.connected else []

    # -- CallControl
    async def answer(self, leg_id: str) -> None:
        party = await self._meet("answer", leg_id)
        if not party.is_up:
            party.silence_for_bridge()
            party.answer()

    async def hang_up(self, leg_id: str, reason: EndReason) -> None:
        (await self._meet("hang_up", leg_id)).end(reason, cause=16)

    async def turn_away(self, leg_id: str) -> None:
        party = await self._meet("turn_away", leg_id)
        said = party.arrival
        called, caller, entry = said.get("called", ""), said.get("caller", ""), said.get("entry", "")
        self.turned_away.append(LegArrived(leg_id, self.node, called, caller, said.get("name", ""), entry))
        party.end(EndReason.CONGESTION)

    async def originate(self, command: OriginateLeg) -> None:
        await self.failures.meet("originate", command.leg_id)
        self._must_be_connected()
        if command.node != self.node:
            raise CommandRefused(f"there is no node {command.node!r}: it must be {self.node}")
        names.pjsip_endpoint(command.endpoint)
        shown = names.caller_id(command.caller, command.caller_name, command.endpoint)
        if command.leg_id in self.parties:
            raise CommandRefused(f"leg {command.leg_id} has been dialed already")
        if trunk_of(command.endpoint) in self.trunks_away:
            raise TrunkAway(f"{self.node} cannot reach the trunk {trunk_of(command.endpoint)}")
        party = self._party(command.leg_id, False, {"caller": command.caller, "endpoint": command.endpoint})
        party.arrival |= {"shown": shown, "auto_answer": "yes" if command.auto_answer else ""}
        self.dialed.append(party)
        if command.listen is not None:
            self.live.listen(command.listen, answered=False)
        party.later(command.ring_s, lambda: party.decline(EndReason.NO_ANSWER, 19))
        party.later(command.limit_s, lambda: party.end(EndReason.LIMIT_REACHED))
        self._behaviours.get(command.endpoint, Party.ring)(party)

    async def send_digits(self, leg_id: str, digits: str) -> None:
        (await self._meet("send_digits", leg_id)).digits_received += names.digits(digits)

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str], keyed: Collection[str] = ()) -> None:
        parties = [await self._meet("bridge", leg_id) for leg_id in leg_ids]
        if not parties:
            raise CommandRefused(f"bridge {bridge_id} was asked for without legs")
        if bridge_id not in self.bridges and bridge_id in self._used:
            raise CommandRefused(f"bridge {bridge_id} was destroyed: a new bridge needs a new id")
        self._used.add(names.identifier(bridge_id))
        for leg_id in {*leg_ids, *keyed} & self.parties.keys():
            self.parties[leg_id].is_keyed = leg_id in keyed
        for party in parties:
            self.rooms.join(bridge_id, party)
            self.live.bridged(party.leg_id)

    async def unbridge(self, bridge_id: str, leg_id: str) -> None:
        party = await self._meet("unbridge", leg_id)
        self.rooms.leave(names.identifier(bridge_id), party)

    async def mute(self, leg_id: str, muted: bool) -> None:
        (await self._meet("mute", leg_id)).is_muted = muted

    async def park(self, leg_id: str) -> None:
        party = await self._meet("park", leg_id)
        party.is_parked = not any(leg_id in members for members in self.rooms.bridges.values())

    async def listen_in(self, leg_id: str, to_leg_id: str, whisper: bool) -> None:
        party = await self._meet("listen_in", leg_id)
        if to_leg_id not in self.parties:
            raise LegGone(f"leg {to_leg_id} has ended or was never here")
        self.rooms.listen(party, to_leg_id, whisper)

    async def stop_listening(self, leg_id: str) -> None:
        await self._meet("stop_listening", leg_id)
        self.rooms.listening.pop(leg_id, None)

    async def destroy_bridge(self, bridge_id: str) -> None:
        await self.failures.meet("destroy_bridge")
        self._must_be_connected()
        self.bridges.pop(names.identifier(bridge_id), None)

    async def survey(self) -> Sequence[Survey]:
        await self.failures.meet("survey")
        if not self.connected:
            return []
        found = tuple(self._found(party) for party in self.parties.values())
        bridges = {bridge_id: tuple(legs) for bridge_id, legs in self.bridges.items()}
        return [Survey(self.node, found, bridges)]

    # -- MediaControl
    async def play(self, leg_id: str, playback_id: str, media: Sequence[str]) -> None:
        party = await self._meet("play", leg_id)
        names.identifier(playback_id)
        if not media or not all(item.startswith(("/", "tone:", "silence:")) for item in media):
            raise CommandRefused(f"cannot play {list(media)}: paths, tone:NAME or silence:SECONDS are wanted")
        party.play(playback_id, media)

    async def stop_playback(self, leg_id: str, playback_id: str) -> None:
        (await self._meet("stop_playback", leg_id)).stop(playback_id)

    async def start_music(self, leg_id: str, music: str) -> None:
        (await self._meet("start_music", leg_id)).music = names.music_class(music)

    async def stop_music(self, leg_id: str) -> None:
        (await self._meet("stop_music", leg_id)).music = ""

    async def start_recording(self, command: StartRecording) -> None:
        party = await self._meet("start_recording", command.leg_id)
        names.file_name(command.recording_id)
        if party.recording_id:
            raise CommandRefused(f"leg {command.leg_id} is being recorded already, as {party.recording_id}")
        self.recordings.add(command.recording_id)
        party.record(command.recording_id, command.max_s, command.silence_s, names.terminator(command.terminators))

    async def stop_recording(self, leg_id: str, recording_id: str) -> None:
        (await self._meet("stop_recording", leg_id)).stop_recording(recording_id)

    async def discard_recording(self, leg_id: str, recording_id: str) -> None:
        await self.failures.meet("discard_recording", leg_id)
        if leg_id in self.parties:
            self.parties[leg_id].stop_recording(recording_id, told=False)
            self.parties[leg_id].stop_talk(recording_id, told=False)
        self.recordings.discard(recording_id)

    async def keep_recording(self, leg_id: str, recording_id: str, destination: str) -> None:
        """In memory: what would be moved where stands in `kept`."""
        await self.failures.meet("keep_recording", leg_id)
        if recording_id not in self.recordings:
            raise CommandRefused(f"recording {recording_id} is not there (any more)")
        self.recordings.remove(recording_id)
        self.kept[recording_id] = destination

    async def start_talk_recording(self, leg_id: str, recording_id: str) -> None:
        party = await self._meet("start_talk_recording", leg_id)
        names.file_name(recording_id)
        if party.talk is not None and party.talk.recording_id == recording_id:
            return
        if party.talk is not None:
            raise CommandRefused(f"leg {leg_id} is being recorded already, as {party.talk.recording_id}")
        self.recordings.add(recording_id)
        self.talks[recording_id] = party.record_talk(recording_id)

    async def pause_talk_recording(self, leg_id: str, recording_id: str, paused: bool) -> None:
        (await self._meet("pause_talk_recording", leg_id)).pause_talk(recording_id, paused)

    async def stop_talk_recording(self, leg_id: str, recording_id: str) -> None:
        await self.failures.meet("stop_talk_recording", leg_id)
        self._must_be_connected()
        if leg_id in self.parties:
            self.parties[leg_id].stop_talk(recording_id)

    # -- LiveAudio
    async def listen(self, command: ListenToLeg) -> None:
        party = await self._meet("listen", command.leg_id)
        talks = any(command.leg_id in inside for inside in self.bridges.values())
        self.live.listen(command, party.is_up, talks)

    async def dismiss(self, leg_id: str, listening_id: str) -> None:
        await self.failures.meet("dismiss", leg_id)
        self.live.dismiss(leg_id, listening_id)

    # -- inside
    def _found(self, party: Party) -> FoundLeg:
        said = party.arrival
        return FoundLeg(
            leg_id=party.leg_id,
            node=self.node,
            up=party.is_up,
            inbound=party.inbound,
            called=said.get("called", ""),
            caller=said.get("caller", ""),
            caller_name=said.get("name", ""),
            entry=said.get("entry", ""),
            created_s=party.created_s,
        )
