"""Walking a flow in the terminal."""

from __future__ import annotations

import pytest

from ivr.scenario.given import GivenModel
from ivr.scenario.tiny import tiny_release
from ivr.walk import Walk

RELEASE = tiny_release(
    {
        "reception": {
            "nodes": {
                "hi": {"type": "play", "prompt": "Hola {{ caller }}", "next": "menu"},
                "menu": {
                    "type": "menu",
                    "prompt": "Marque 1",
                    "keys": {"1": "bye"},
                    "no_input": "bye",
                    "into": "choice",
                },
                "bye": {"type": "hangup", "prompt": "Adiós"},
            }
        }
    }
)


def test_a_walk_from_hello_to_goodbye():
    walk = Walk(RELEASE, "reception", given=GivenModel(caller="100"))
    begun = walk.begin()
    assert "“Hola 100”" in begun
    assert "“Marque 1”" in begun
    assert walk.where == "reception/menu"
    assert "Marque" in walk.do("7")
    assert walk.do("restart").count("Marque") == 1
    assert "“Adiós”" in walk.do(" 1 ")
    assert walk.is_over
    assert walk.do("1") == "the call is over"
    assert "choice = 1" in walk.do("vars")
    assert "Hola 100" in walk.do("path")
    assert walk.heard()[-1] == "Adiós"


def test_silence_hanging_up_and_nonsense():
    walk = Walk(RELEASE, "reception")
    walk.begin()
    assert "nothing a caller does" in walk.do("shout")
    assert "keys" in walk.do("help")
    assert "Marque 1" in walk.do("")
    assert "silence 3" in walk.do("silence 3")
    assert "caller_hung_up" in walk.do("hang up")


def test_an_unknown_flow_names_the_known_ones():
    with pytest.raises(ValueError, match="write one of reception"):
        Walk(RELEASE, "recepcion")
