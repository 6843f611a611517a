"""Whom the supervisor sends to overflow when the engine stays away, and whom it leaves alone."""

import httpx
import pytest

from engine.absence import send_to_overflow, waiting


def test_callers_go_to_overflow_and_whom_we_dialed_to_the_safe_harbour():
    assert waiting(["c1", "i-c2.x1"], []) == [("c1", "overflow"), ("i-c2.x1", "safe_harbour")]


def test_two_people_who_talk_are_left_alone_and_one_left_behind_is_not():
    bridges = [{"channels": ["c1", "i-c1.x1"]}, {"channels": ["c2"]}, {"channels": []}]
    assert waiting(["c1", "i-c1.x1", "c2", "c3"], bridges) == [("c2", "overflow"), ("c3", "overflow")]


class Node:
    """ARI as the supervisor sees it. `broken`: legs whose request never ends."""

    def __init__(self, legs, broken=(), bridges="[]", ringing=()):
        self.legs, self.broken, self.bridges, self.sent, self.ringing = legs, broken, bridges, [], ringing
        self.stopped = []

    def __call__(self, request):
        path = request.url.path
        if path.startswith("/applications/"):
            return httpx.Response(200, json={"channel_ids": self.legs})
        if path == "/channels":
            up = [
                {"id": leg, "state": "Up", "dialplan": {"context": ""}} for leg in self.legs if leg not in self.ringing
            ]
            return httpx.Response(200, json=up + [{"id": leg, "state": "Ringing"} for leg in self.ringing])
        if path == "/bridges":
            return httpx.Response(200, text=self.bridges)
        leg = path.split("/")[2]
        if request.method == "DELETE":
            self.stopped.append(leg)
            return httpx.Response(204)
        if leg in self.broken:
            raise httpx.ReadTimeout("frozen", request=request)
        self.sent.append((leg, request.url.params["context"]))
        return httpx.Response(204)

    def client(self):
        return httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://node")


async def never():
    return False


async def test_a_frozen_leg_holds_up_nobody():
    node = Node(["c1", "c2", "c3"], broken=["c1"])
    async with node.client() as ari:
        assert await send_to_overflow(ari, never, {}) == 2
    assert node.sent == [("c2", "overflow"), ("c3", "overflow")]


async def test_legs_of_an_engine_that_is_back_are_its_own_again():
    node, asked = Node([f"c{n}" for n in range(100)]), []

    async def is_back():
        asked.append(1)
        return len(asked) > 2

    async with node.client() as ari:
        assert await send_to_overflow(ari, is_back, {}) == 20


@pytest.mark.parametrize("bridges", ["", "<html>", "{"])
async def test_a_node_that_talks_nonsense_is_asked_again_later(bridges):
    async with Node(["c1"], bridges=bridges).client() as ari:
        assert await send_to_overflow(ari, never, {}) is None


async def test_whom_a_campaign_called_is_told_who_did_as_soon_as_she_answers():
    node = Node(
        ["c1", "at-1-c", "at-2-c", "at-3-c", "line"], ringing=["at-2-c"], bridges='[{"channels": ["at-3-c", "line"]}]'
    )
    async with node.client() as ari:
        assert await send_to_overflow(ari, never, {}, only_called=True) == 1
        assert node.sent == [("at-1-c", "safe_harbour")]
        assert await send_to_overflow(ari, never, {}) == 2
    assert node.sent[1:] == [("c1", "overflow"), ("at-1-c", "safe_harbour")]


async def test_what_holds_a_leg_is_stopped_first_for_a_ringback_never_ends():
    node = Node(["c1", "c2"], ringing=["c2"])
    async with node.client() as ari:
        assert await send_to_overflow(ari, never, {"c2": "i-c2.ringback", "c3": "i-c3.7"}) == 2
    assert node.stopped == ["i-c2.ringback"]
    assert node.sent == [("c1", "overflow"), ("c2", "overflow")]
