"""Who is together with whom, and so who hears whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from telephony.fake.party import Party


class Rooms:
    """`bridges`: bridge -> its legs in the order they came. `listening`: a supervisor's leg -> the leg it listens
    through, and whether it whispers. `parties`: every leg alive."""

    def __init__(self, parties: Mapping[str, Party]) -> None:
        self.bridges: dict[str, list[str]] = {}
        self.listening: dict[str, tuple[str, bool]] = {}
        self._parties = parties

    def join(self, bridge_id: str, party: Party) -> None:
        """Moves it there from wherever it was; one that is in it stays as it is."""
        members = self.bridges.setdefault(bridge_id, [])
        if party.leg_id in members:
            return
        party.silence_for_bridge()
        self._leave_all(party)
        members.append(party.leg_id)

    def leave(self, bridge_id: str, party: Party) -> None:
        members = self.bridges.get(bridge_id, [])
        if party.leg_id in members:
            party.silence_for_bridge()
            members.remove(party.leg_id)

    def listen(self, party: Party, to_leg_id: str, whisper: bool) -> None:
        self._leave_all(party)
        self.listening[party.leg_id] = to_leg_id, whisper

    def ended(self, leg_id: str) -> None:
        for members in self.bridges.values():
            if leg_id in members:
                members.remove(leg_id)
        self.listening = {who: where for who, where in self.listening.items() if leg_id not in (who, where[0])}

    def audible_to(self, leg_id: str) -> list[str]:
        """The legs it hears right now."""
        if leg_id in self.listening:
            through, _ = self.listening[leg_id]
            return [*self._together_with(through), *self._speaking([through])]
        whispering = [who for who, (to_leg_id, whisper) in self.listening.items() if whisper and to_leg_id == leg_id]
        return [*self._together_with(leg_id), *self._speaking(whispering)]

    def pressed(self, party: Party, digit: str) -> None:
        """A key of somebody in a room is heard there."""
        for members in self.bridges.values() if not party.is_keyed else ():
            for leg_id in members if party.leg_id in members else ():
                if leg_id != party.leg_id:
                    self._parties[leg_id].digits_received += digit

    def _together_with(self, leg_id: str) -> list[str]:
        members = next((members for members in self.bridges.values() if leg_id in members), [])
        return self._speaking([member for member in members if member != leg_id])

    def _speaking(self, leg_ids: Sequence[str]) -> list[str]:
        parties = [self._parties[leg_id] for leg_id in leg_ids]
        return [party.leg_id for party in parties if party.is_up and not party.is_muted and not party.is_held]

    def _leave_all(self, party: Party) -> None:
        party.is_parked, party.music = False, ""
        self.listening.pop(party.leg_id, None)
        for members in self.bridges.values():
            if party.leg_id in members:
                members.remove(party.leg_id)
