"""The flows of test_trouble.py: one leads into every type of node where a caller may stay, one asks bad hosts."""

from __future__ import annotations

from tests.callers import prompt

EVERYWHERE = f"""
flow: everywhere
languages: [es]
start: door
defaults:
  no_input: {{then: bye}}
  no_match: {{then: bye}}
  error: {{prompt: "{prompt("eco")}", then: bye}}
nodes:
  door:
    type: menu
    prompt: "{prompt("hotel", 2)}"
    first_digit_s: 40
    keys:
      "1": say
      "2": code
      "3": switch
      "4": ask
      "5": mail
      "6": ring
      "7": inside
      "8": pause
      "9": bye
      "0": again
      "*": sales
  say: {{type: play, prompt: "{prompt("sierra", 6)}", next: door}}
  code:
    type: collect
    prompt: "{prompt("papa")}"
    digits: 4
    first_digit_s: 40
    sensitive: yes
    into: code
    next: door
  switch:
    type: toggle
    toggle: lamp
    mode: flip
    pin: "4711"
    prompt: "{prompt("nueve")}"
    first_digit_s: 40
    next: door
  ask:
    type: http
    url: "http://HOST/slow"
    timeout_s: 20
    hold: {{prompt: "{prompt("victor")}", music: default}}
    next: door
  mail:
    type: record
    mailbox: sales
    prompt: "{prompt("zulu")}"
    min_s: 1
    silence_s: 0
    review: {{prompt: "{prompt("siete", 6)}"}}
    into: message
    next: door
  ring: {{type: transfer, to: "device:1002", ring_s: 30, music: default, answered: door, next: again}}
  inside: {{type: subflow, flow: inner, next: door}}
  pause: {{type: wait, seconds: 40, music: default, next: door}}
  again: {{type: set, values: {{times: "{{{{ times | default(0) + 1 }}}}"}}, next: enough}}
  enough: {{type: branch, branches: [{{when: "times > 3", next: bye}}], else: door}}
  sales: {{type: queue, queue: sales, no_agents: again, next: again}}
  bye: {{type: hangup, prompt: "{prompt("delta", 6)}"}}
"""
INNER = f"""
flow: inner
languages: [es]
start: question
nodes:
  question:
    type: menu
    prompt: "{prompt("quebec")}"
    keys: {{"1": back}}
    first_digit_s: 40
    no_input: {{then: back}}
    no_match: {{then: back}}
  back: {{type: return}}
"""
EARLY = f"""
flow: early
languages: [es]
start: hello
nodes:
  hello: {{type: play, answer: no, prompt: "{prompt("julieta", 6)}", next: bye}}
  bye: {{type: hangup}}
"""
STAYS = {
    "1": "say",
    "2": "code",
    "3": "switch",
    "4": "ask",
    "5": "mail",
    "6": "ring",
    "7": "question",
    "8": "pause",
    "9": "bye",
    "": "door",
}
"""Key at the door -> the node where one then is for a while."""
BAD_HOSTS = {"1": "drip", "2": "endless", "3": "redirect", "4": "html", "5": "bomb", "6": "gone", "7": "elsewhere"}


def web() -> str:
    """A key for each way in which a host can be bad; the caller always hears "eco" and then the question again."""
    nodes = "".join(
        f"""  {name}:
    type: http
    url: "http://{"evil.test" if name == "elsewhere" else "HOST"}/{name}"
    timeout_s: 1.5
    into: {{value: value}}
    error: {{prompt: "{prompt("eco")}", then: door}}
    next: bye
"""
        for name in BAD_HOSTS.values()
    )
    keys = ", ".join(f'"{key}": {name}' for key, name in BAD_HOSTS.items())
    return f"""
flow: web
languages: [es]
start: door
defaults: {{no_input: {{then: bye}}, no_match: {{then: bye}}}}
nodes:
  door: {{type: menu, prompt: "{prompt("hotel")}", keys: {{{keys}}}, first_digit_s: 40}}
{nodes}  bye: {{type: hangup, prompt: "{prompt("delta")}"}}
"""


def greeting(word: str) -> str:
    """A flow that changes from release to release: it says another word and then stays."""
    return f"""
flow: greeting
languages: [es]
start: hello
defaults: {{no_input: {{then: bye}}, no_match: {{then: bye}}}}
nodes:
  hello: {{type: menu, prompt: "{prompt(word)}", keys: {{"1": bye}}, first_digit_s: 60}}
  bye: {{type: hangup, prompt: "{prompt(word, 1.2)}"}}
"""
