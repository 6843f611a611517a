"""Prompts: every form an admin may write, what each caller hears, and what is refused where."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.media import Silence, Sound, Speech, Tone
from definitions.models import Definition, load
from definitions.problems import Problems
from ivr.prompts import Prompt
from ivr.templates import TemplateFailed


class Holder(Definition):
    prompt: Prompt


def prompt(yaml: str) -> Prompt:
    holder = load(Holder, f"prompt: {yaml}", "f.yaml")
    assert isinstance(holder, Holder), str(holder)
    return holder.prompt


def refused(yaml: str) -> list[str]:
    found = load(Holder, f"prompt: {yaml}", "f.yaml")
    assert isinstance(found, Problems), repr(found)
    return [str(problem) for problem in found]


VARIABLES = {"name": "Ana", "balance": "120.50", "due": "2026-03-15", "at": "9:30", "doc": "0810"}


@pytest.mark.parametrize(
    ("yaml", "language", "heard"),
    [
        ('"Hola"', "en", (Speech("Hola", "en"),)),
        ("{es: Hola, en: Hello}", "en", (Speech("Hello", "en"),)),
        ("{es: Hola, en: Hello}", "es-AR", (Speech("Hola", "es"),)),
        ("{es-AR: Che, en: Hello}", "es", (Speech("Che", "es-AR"),)),
        ("{es: Hola, en: Hello}", "ca", (Speech("Hello", "en"),)),
        ("{sound: welcome}", "es", (Sound("welcome", "es"),)),
        ("{es: {sound: hola}, en: Hello}", "es", (Sound("hola", "es"),)),
        ("[{sound: digits/1}, {es: Hola}, {silence_s: 0.5}, {tone: beep}]", "es",
         (Sound("digits/1", "es"), Speech("Hola", "es"), Silence(0.5), Tone("beep"))),
        ('{es: "Hola, {{ name }}."}', "es", (Speech("Hola, Ana.", "es"),)),
        ('[{number: "{{ doc }}"}]', "es", (Speech("ochocientos diez", "es"),)),
        ('{money: "{{ balance }}", currency: EUR}', "es",
         (Speech("ciento veinte euros con cincuenta céntimos", "es"),)),
        ('{digits: "{{ doc }}"}', "en", (Speech("zero eight one zero", "en"),)),
        ('{date: "{{ due }}"}', "es", (Speech("quince de marzo de dos mil veintiséis", "es"),)),
        ('{time: "{{ at }}"}', "en", (Speech("nine thirty a.m.", "en"),)),
        ('{phone: "1143215678", region: ar}', "en",
         (Speech("zero one one, four three two one, five six seven eight", "en"),)),
        ('{phone: "911234567"}', "es-ES", (Speech("nueve uno uno, dos tres, cuatro cinco, seis siete", "es-ES"),)),
        ("{say: Hola, voice: jorge}", "es", (Speech("Hola", "es", "jorge"),)),
        ("{say: {es: Hola, en: Hello}}", "en", (Speech("Hello", "en"),)),
        ('[{es: {say: "For English, press 9.", language: en}}]', "es", (Speech("For English, press 9.", "en"),)),
        ("{play: {es: Hola}, barge_in: no}", "es", (Speech("Hola", "es"),)),
        ('"{% if name %}  {{ name }}\n  dos {% endif %}"', "es", (Speech("Ana dos", "es"),)),
        ('"{% if nobody %}x{% endif %}"', "es", ()),
    ],
)  # fmt: skip
def test_every_form_and_what_is_heard(yaml: str, language: str, heard: tuple[object, ...]) -> None:
    assert prompt(yaml).parts(VARIABLES, language, ["en", "es"]) == heard


def test_options() -> None:
    found = prompt("{play: Hola, barge_in: no, recording_notice: yes}")
    assert (found.barge_in, found.recording_notice) == (False, True)
    assert prompt("Hola").barge_in is True


def test_where_the_language_is_missing_the_first_is_said() -> None:
    assert prompt("{es: Hola, en: Hello}").parts({}, "fr") == (Speech("Hola", "es"),)


def test_what_is_known_at_load_is_said_exactly_so_at_run_time() -> None:
    found = prompt('[{es: "Debe", en: "You owe"}, {money: "{{ balance }}", currency: EUR}, "{{ company }} le espera"]')
    constants = {"company": "Acme"}
    early = found.static_speech(["es", "en"], constants)
    assert early == {
        Speech("Debe", "es"),
        Speech("You owe", "en"),
        Speech("Acme le espera", "es"),
        Speech("Acme le espera", "en"),
    }
    heard = found.parts({**VARIABLES, **constants}, "es", ["es", "en"])
    assert early.issuperset((heard[0], heard[2]))
    assert found.names == {"balance", "company"}
    assert not found.is_static


def test_sounds_and_missing_languages() -> None:
    found = prompt("[{sound: chime}, {es: {sound: hola}, en: Hello}]")
    assert found.sounds(["es", "en"]) == {Sound("chime", "es"), Sound("chime", "en"), Sound("hola", "es")}
    assert found.missing_languages(["es", "en", "es-AR", "fr"]) == ("fr",)
    assert prompt("Hola").missing_languages(["es", "fr"]) == ()


def test_a_value_that_cannot_be_said_fails_in_words() -> None:
    for yaml in ('{money: "{{ name }}"}', '{date: "{{ name }}"}', '"{{ nobody }}"', '{time: "25:00"}'):
        with pytest.raises(TemplateFailed):
            prompt(yaml).parts(VARIABLES, "es")


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("{sond: x}", "1:10: unknown key 'sond' in a prompt: did you mean 'sound'?"),
        ("{es: Hola, spanish: Hola}", "1:20: unknown key 'spanish' in a prompt"),
        ("{es: Hola, sound: x}", "1:10: unknown key 'es' beside `sound`"),
        ("{money: '1', curency: EUR}", "1:22: unknown key 'curency' beside `money`: did you mean 'currency'?"),
        ("{phone: '1', region: ZZ}", "1:30: 'ZZ' is not a country: write two letters: ES, AR, US"),
        ("{money: '1', currency: EUU}", "1:32: 'EUU' is not a currency"),
        ("{play: Hola, bargein: no}", "1:22: unknown key 'bargein' in a prompt: did you mean 'barge_in'?"),
        ("{play: Hola, barge_in: maybe}", "1:32: 'maybe' is neither yes nor no"),
        ("[Hola, [otra]]", "1:16: a list stands inside a list"),
        ("[]", "this prompt is empty"),
        ("{}", "this prompt is empty"),
        ('""', "this text is empty"),
        ("", "a value is missing here"),
        ("{es: }", "1:14: a value is missing here"),
        ("{es: {en: x}}", "1:15: unknown key 'en' in a prompt"),
        ("{sound: ../../etc/passwd}", "cannot be the name of a sound"),
        ("{sound: welcome.wav}", "write welcome"),
        ("{tone: bep}", "did you mean 'beep'?"),
        ("{silence_s: 5s}", "write 5"),
        ("{silence_s: 100}", "write at most 60"),
        ('{es: "{{ name | uper }}"}', "1:14: there is no filter 'uper': did you mean 'upper'?"),
        ('[a, {es: "{{ a.b }}"}]', "1:18: `.` is not allowed in a template"),
        (f"[{', '.join('abcdefgh' for _ in range(50))}]", "this prompt has 50 parts"),
    ],
)  # fmt: skip
def test_mistakes_are_named_at_their_place(yaml: str, words: str) -> None:
    assert words in "\n".join(refused(yaml))


def test_all_mistakes_at_once() -> None:
    assert len(refused("{play: [{sond: x}, {tone: bep}, ''], barge_in: x, pley: y}")) == 5


def test_equal_by_source_and_picklable() -> None:
    found = prompt("{es: Hola}")
    assert found == prompt("{es: Hola}") != prompt("{es: Adiós}")
    assert pickle.loads(pickle.dumps(found)).parts({}, "es") == (Speech("Hola", "es"),)
    assert found.gist("en") == "Hola"


_KEYS = ["es", "en", "say", "sound", "money", "currency", "play", "barge_in", "tone", "silence_s", "date", "voice", "x"]
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["{{ x }}", "{{", "{% if"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS) | st.text(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(_ANY)
def test_no_value_raises_anything_but_faults(value: Any) -> None:
    try:
        found = Prompt(value)
    except ValidationError:
        return
    found.static_speech(["es", "en"])
    found.sounds(["es"])
    found.missing_languages(["es"])
    found.gist("es")
    try:
        found.parts({"x": "1"}, "es")
    except TemplateFailed:
        return
