"""What Whisper got stuck in is heard again without repetition; no model runs here."""

from types import SimpleNamespace

import numpy as np
import pytest

from speech.ports import Audio
from speech.recognisers.whisper import WhisperRecogniser

A_SECOND = Audio(np.ones(16000, np.int16), 16000)


class Model:
    """Says one text when it may repeat itself and the other when it may not."""

    supported_languages = ("en",)

    def __init__(self, first, again):
        self.says = {False: first, True: again}
        self.heard = 0

    def transcribe(self, _samples, *, no_repeat_ngram_size=0, **_options):
        self.heard += 1
        text, ratio = self.says[no_repeat_ngram_size > 0]
        return [SimpleNamespace(text=text, compression_ratio=ratio, words=None)], None


@pytest.mark.parametrize(
    ("first", "again", "text", "times"),
    [
        (("Good morning.", 0.7), ("", 0.0), "Good morning.", 1),
        (("1,000,000,000,000,", 8.1), ("One thousand euros.", 0.9), "One thousand euros.", 2),
        (("la la la la la", 2.5), ("la le la le la le", 2.5), "la la la la la", 2),
    ],
    ids=["not stuck", "stuck once", "stuck twice"],
)
def test_what_it_got_stuck_in_is_heard_again(first, again, text, times):
    model = Model(first, again)
    recogniser = WhisperRecogniser()
    recogniser._model = model
    assert recogniser.recognise(A_SECOND, "en").text == text
    assert model.heard == times
