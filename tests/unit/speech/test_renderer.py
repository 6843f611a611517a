import asyncio

import pytest

from speech.audio import decode_ulaw
from speech.cache import PromptCache, prompt_key
from speech.errors import SpeechUnavailable
from speech.prepare import Line
from speech.renderer import SpeechRenderer


def seconds(path):
    return path.with_suffix(".ulaw").stat().st_size / 8000


async def test_a_prompt_is_a_path_without_extension_that_plays(renderer):
    path = await renderer.render("Buenas tardes", "es")
    assert path.is_absolute()
    assert path.suffix == ""
    assert decode_ulaw(path.with_suffix(".ulaw").read_bytes()).any()


async def test_a_static_prompt_is_ready_in_the_good_voice(renderer, good, quick):
    prepared = await renderer.prepare([Line("Buenas tardes", "es")])
    assert prepared.failed == []
    good.said.clear()
    path = await renderer.render("Buenas  tardes", "es-ES")
    assert path == renderer.ready("Buenas tardes", "es")
    assert path.is_relative_to(renderer.kept.directory)
    assert (good.said, quick.said) == ([], [])
    assert renderer.outcomes == {"ready": 1}


async def test_a_value_is_joined_from_phrases_in_the_good_voice(renderer, good, quick):
    await renderer.prepare([Line("Su saldo es", "es")])
    good.said.clear()
    path = await renderer.render("Su saldo es mil doscientos pesos con cincuenta centavos.", "es")
    assert (good.said, quick.said) == ([], [])
    assert renderer.outcomes == {"joined": 1}
    assert seconds(path) == pytest.approx(0.3 + 0.6, abs=0.5)
    assert path.is_relative_to(renderer.passing.directory), "what one caller was told is not kept"


async def test_a_caller_from_elsewhere_hears_the_nearest_language_that_is_ready(renderer, quick):
    await renderer.prepare([Line("Su saldo es", "es")])
    assert renderer.ready("Su saldo es", "es-AR") == renderer.ready("Su saldo es", "es")
    await renderer.render("Su saldo es veinte pesos", "es-AR")
    assert quick.said == []


async def test_new_words_are_said_at_once_by_the_fallback(renderer, good, quick):
    await renderer.render("Hola, señora Echeverría", "es")
    assert (good.said, quick.said) == ([], ["Hola, señora Echeverría"])


async def test_words_that_come_back_are_said_better_the_next_time(renderer, good, quick):
    for _ in range(2):
        await renderer.render("Hola, señora Echeverría", "es")
    async with asyncio.timeout(20):
        while not renderer.ready("Hola, señora Echeverría", "es"):
            await asyncio.sleep(0.01)
    assert good.said == ["Hola, señora Echeverría"]
    await renderer.render("Hola, señora Echeverría", "es")
    assert renderer.outcomes == {"fallback": 2, "ready": 1}
    assert len(quick.said) == 1


@pytest.mark.parametrize("budget_s", [20.0])
async def test_a_fast_voice_says_it_live(renderer, good, quick):
    good.estimate = 0.05
    await renderer.render("Hola, señora Echeverría", "es")
    assert renderer.outcomes == {"live": 1}
    assert quick.said == []


async def test_a_voice_that_is_slower_than_it_thought_is_overtaken(renderer, good):
    good.estimate, good.delay_s = 0.05, 3600.0
    await renderer.render("Hola, señora Echeverría", "es")
    assert renderer.outcomes == {"fallback": 1}


async def test_the_same_words_for_many_callers_are_said_once(renderer, quick):
    quick.delay_s = 0.05
    paths = await asyncio.gather(*(renderer.render("Hola, Echeverría", "es") for _ in range(20)))
    assert len(set(paths)) == 1
    assert len(quick.said) == 1


async def test_one_caller_who_hangs_up_does_not_silence_the_others(renderer, quick):
    quick.delay_s = 0.05
    first = asyncio.create_task(renderer.render("Hola, Echeverría", "es"))
    second = asyncio.create_task(renderer.render("Hola, Echeverría", "es"))
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second).is_relative_to(renderer.passing.directory)


async def test_a_broken_voice_is_replaced_by_the_next(renderer, good, quick, unavailable):
    good.problem = unavailable
    good.estimate = 0.0
    await renderer.render("Hola, Echeverría", "es")
    assert quick.said == ["Hola, Echeverría"]


async def test_when_no_voice_speaks_it_says_so(renderer, good, quick, unavailable):
    good.problem = quick.problem = unavailable
    with pytest.raises(SpeechUnavailable, match="no voice could say"):
        await renderer.render("Hola, Echeverría", "es")
    with pytest.raises(SpeechUnavailable):
        await renderer.render("Bonjour", "fr")
    assert renderer.outcomes == {"failed": 2}


@pytest.mark.parametrize(("text", "language"), [("", "es"), (" ... ", "es"), ("hola", "spanish!"), ("hola", "")])
async def test_nothing_to_say_is_refused(renderer, text, language):
    with pytest.raises(ValueError, match=r"no words|language tag"):
        await renderer.render(text, language)


async def test_an_endless_text_is_cut(renderer, quick):
    await renderer.render("bla " * 100_000, "es")
    assert [len(text) for text in quick.said] == [1000]


async def test_a_disk_that_refuses_does_not_hide_the_reason(tmp_path, good, quick):
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    renderer = SpeechRenderer([good, quick], kept=PromptCache(nowhere / "a"), passing=PromptCache(nowhere / "b"))
    with pytest.raises(SpeechUnavailable):
        await renderer.render("Hola", "es")
    prepared = await renderer.prepare([Line("Hola", "es")])
    assert "Not a directory" in prepared.failed[0][1]


async def test_a_language_of_the_fallback_alone_is_prepared_and_ready(renderer, good, quick):
    quick.voice.languages = (*quick.voice.languages, "ca")
    assert (await renderer.prepare([Line("Bona tarda", "ca")])).failed == []
    await renderer.render("Bona tarda", "ca")
    assert renderer.outcomes == {"ready": 1}


async def test_preparing_reports_and_goes_on_where_it_stopped(renderer, good):
    lines = [Line(f"frase {number}", "es") for number in range(4)]
    seen = []
    first = await renderer.prepare(lines[:2], seen.append)
    assert seen[-1].done == seen[-1].total == first.rendered > 200
    assert seen[-1].remaining_s == 0
    second = await renderer.prepare(lines)
    assert (second.rendered, second.ready) == (2, first.rendered)


async def test_preparing_takes_the_next_voice_and_names_what_nobody_can_say(renderer, good, quick, unavailable):
    good.problem = unavailable
    lines = [Line("Hola", "es"), Line("", "es"), Line("Bonjour", "fr"), Line("Hola", "¿?")]
    prepared = await renderer.prepare(lines)
    assert [line.text for line, _ in prepared.failed] == ["", "Bonjour", "Hola"]
    assert "Hola" in quick.said


async def test_shipped_prompts_come_first(renderer, good, quick):
    key = prompt_key(good.voice.id_for("es"), "es", "Hola")
    PromptCache(renderer.shipped.directory).write(key, b"\xff" * 800)
    assert (await renderer.render("Hola", "es")).is_relative_to(renderer.shipped.directory)
    assert (await renderer.prepare([Line("Hola", "es")])).ready >= 1


async def test_what_may_not_stay_on_disk_is_one_file_and_remembered_nowhere(renderer, good, quick, tmp_path):
    await renderer.prepare([Line("Ha marcado:", "es"), Line("Gracias", "es")])
    good.said.clear()
    (tmp_path / "secret").mkdir()
    for n in range(3):
        path = await renderer.render_once("cuatro nueve dos nueve", "es", tmp_path / "secret" / f"{n}")
        assert decode_ulaw(path.with_suffix(".ulaw").read_bytes()).any(), "joined from phrases"
        path = await renderer.render_once("Ana Echeverría", "es", tmp_path / "secret" / f"name{n}")
        assert decode_ulaw(path.with_suffix(".ulaw").read_bytes()).any()
    await asyncio.sleep(0.05)
    assert (good.said, quick.said) == ([], ["Ana Echeverría"] * 3), "never said better behind the caller's back"
    assert renderer.passing.files() == []
    assert renderer.ready("cuatro nueve dos nueve", "es") is None
    assert await renderer.render_once("Gracias", "es", tmp_path / "secret" / "x") == renderer.ready("Gracias", "es")
    assert sorted(file.name for file in (tmp_path / "secret").iterdir()) == [
        *(f"{n}.ulaw" for n in range(3)),
        *(f"name{n}.ulaw" for n in range(3)),
    ]
