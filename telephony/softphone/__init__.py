"""A real SIP phone without a sound card: for developers, tests, demo and bench.

process.py   a process of its own: JSON lines in, JSON lines out (the only part that loads pjsua2, which is GPL)
client.py    `Softphone`: that process seen from asyncio
console.py   `centralita phone`: that process seen by a person
ear.py       what a recording holds: sound, silence, tones
"""
