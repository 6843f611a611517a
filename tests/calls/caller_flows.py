"""The flows that test_flow_calls.py walks through, one matter each.

Fake words are tones: "hotel" is heard at the first question, "sierra" at the second, "eco" after a mistake.
"""

from __future__ import annotations

from tests.callers import prompt

MENUS = f"""
flow: menus
languages: [es, en]
start: first
defaults: {{no_input: {{then: bye}}, no_match: {{prompt: "{prompt("foxtrot")}", then: bye}}}}
nodes:
  first:
    type: menu
    prompt: {{es: "{prompt("hotel", 15)}", en: "{prompt("delta", 6)}"}}
    keys: {{"1": second, "9": {{language: en}}}}
    into: chosen
  second:
    type: menu
    prompt: "{prompt("sierra", 3)}"
    keys: {{"2": third}}
  third:
    type: menu
    prompt: "{prompt("eco", 3)}"
    keys: {{"3": inner}}
  inner:
    type: subflow
    flow: inner
    with: {{given: "{{{{ chosen }}}}"}}
    into: {{back: doubled}}
    on: {{known: said}}
    next: bye
  said: {{type: play, prompt: [{{es: "{prompt("papa")}", en: "{prompt("quebec")}"}}, "{{{{ back }}}}"], next: bye}}
  bye: {{type: hangup, prompt: "{prompt("nueve")}"}}
"""
INNER = """
flow: inner
languages: [es, en]
start: double
nodes:
  double: {type: set, values: {doubled: "{{ given * 2 }}", chosen: "mine"}, next: back}
  back: {type: return, branch: known, values: {doubled: "{{ doubled }}"}}
"""
ASK = f"""
flow: ask
languages: [es]
start: code
nodes:
  code:
    type: collect
    prompt: "{prompt("hotel", 2)}"
    digits: 4
    validate: {{kind: range, min: 1000, max: 5999}}
    confirm: {{prompt: ["{prompt("sierra")}", "{{{{ value | replace('3', ' victor ') }}}}"]}}
    into: code
    no_input: {{then: bye}}
    no_match: {{prompt: "{prompt("eco")}", then: bye}}
    next: bye
  bye: {{type: hangup, prompt: "{prompt("papa")}"}}
"""
MESSAGE = f"""
flow: message
languages: [es]
start: voicemail
nodes:
  voicemail:
    type: record
    mailbox: sales
    prompt: "{prompt("hotel")}"
    min_s: 1
    silence_s: 0
    review: {{prompt: "{prompt("sierra")}"}}
    labels: {{topic: "{{{{ caller }}}} called"}}
    into: message
    no_input: {{retries: 1, prompt: "{prompt("eco")}", then: bye}}
    next: bye
  bye: {{type: hangup, prompt: "{prompt("papa")}"}}
"""
CONNECT = f"""
flow: connect
languages: [es]
start: who
defaults: {{no_input: {{then: bye}}, no_match: {{then: bye}}}}
nodes:
  who: {{type: menu, prompt: "{prompt("hotel")}", keys: {{"1": luis, "2": nobody}}}}
  luis:
    type: transfer
    to: "device:1002"
    ring_s: 3
    music: default
    answered: after
    busy: busy
    no_answer: no_answer
    next: failed
  nobody: {{type: transfer, to: "device:1003", next: failed}}
  after: {{type: play, prompt: "{prompt("sierra")}", next: bye}}
  busy: {{type: play, prompt: "{prompt("eco")}", next: who}}
  no_answer: {{type: play, prompt: "{prompt("victor")}", next: who}}
  failed: {{type: play, prompt: "{prompt("delta")}", next: who}}
  bye: {{type: hangup, prompt: "{prompt("papa")}"}}
"""
CLOSURE = f"""
flow: closure
languages: [es]
start: is_closed
defaults: {{no_input: {{then: bye}}, no_match: {{prompt: "{prompt("eco")}", then: bye}}}}
nodes:
  is_closed: {{type: toggle, toggle: closure, on: closed, off: open}}
  closed: {{type: menu, prompt: "{prompt("zulu", 1.5)}", keys: {{"5": switch}}}}
  open: {{type: menu, prompt: "{prompt("hotel", 1.5)}", keys: {{"5": switch}}}}
  switch:
    type: toggle
    toggle: closure
    mode: flip
    pin: secret:closure
    prompt: "{prompt("sierra")}"
    on_prompt: "{prompt("victor")}"
    off_prompt: "{prompt("siete")}"
    next: bye
  bye: {{type: hangup}}
"""
BALANCE = f"""
flow: balance
languages: [es]
start: document
nodes:
  document:
    type: collect
    prompt: "{prompt("hotel")}"
    digits: 8
    sensitive: yes
    confirm: {{prompt: [{{digits: "{{{{ value }}}}"}}, "{prompt("sierra")}"]}}
    into: document
    no_input: {{then: bye}}
    no_match: {{then: bye}}
    next: check
  check: {{type: branch, branches: [{{when: "document == '00000000'", next: bye}}], else: ask}}
  ask:
    type: http
    method: POST
    url: "http://crm.test:PORT/customers/{{{{ document }}}}"
    query: {{d: "{{{{ document }}}}"}}
    json: {{document: "{{{{ document }}}}"}}
    headers: {{X-Document: "{{{{ document }}}}"}}
    hold: {{music: default}}
    timeout_s: 60
    sensitive: yes
    into: {{card: card}}
    error: {{prompt: "{prompt("eco")}", then: bye}}
    next: told
  told: {{type: play, prompt: ["{prompt("victor")}", "Termina en {{{{ card | last(4) }}}}"], next: bye}}
  bye: {{type: hangup, prompt: "{prompt("papa")}"}}
"""
PROMISED = f"""
flow: promised
languages: [es]
start: reason
nodes:
  reason:
    type: record
    mailbox: callbacks
    prompt: ["{prompt("hotel")}", "{prompt("hotel")}", "{prompt("hotel")}"]
    labels: {{call: "{{{{ caller }}}}"}}
    labels_alone: yes
    next: bye
  bye: {{type: hangup, prompt: "{prompt("papa")}"}}
"""

FLOWS = {
    "menus": MENUS,
    "inner": INNER,
    "ask": ASK,
    "message": MESSAGE,
    "promised": PROMISED,
    "connect": CONNECT,
    "closure": CLOSURE,
    "balance": BALANCE,
}
