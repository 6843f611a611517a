import pytest

from speech.languages import choices, normal_tag

SPOKEN = ("es", "es-419", "en-US", "en-GB")


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("es", ("es", "es-419")),
        ("es-ES", ("es", "es-419")),
        ("es_AR", ("es-419", "es")),
        ("es-419", ("es-419", "es")),
        ("en", ("en-US", "en-GB")),
        ("en-gb", ("en-GB", "en-US")),
        ("en-AU", ("en-GB", "en-US")),
        ("fr", ()),
    ],
)
def test_the_nearest_comes_first(asked, served):
    assert choices(asked, SPOKEN) == served


def test_a_tag_that_is_none():
    with pytest.raises(ValueError, match="write it like"):
        normal_tag("spanish!")
