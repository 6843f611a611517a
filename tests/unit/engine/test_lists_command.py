"""`centralita lists` and `centralita dnc`, as people use them, without an engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engine.cli.app import app

ES = Path(__file__).parents[3] / "config" / "compliance" / "es.yaml"
_CLIENTS = "Código;Nombre;Móvil;Fijo\nA1;Ana;612345678;911234567\nA2;Luis;112;\nA3;Eva;612345679;no tiene\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "site.yaml").write_text("site: acme\ncountry: ES\nlanguages: [es]\n")
    (tmp_path / "config" / "compliance").mkdir()
    shutil.copy(ES, tmp_path / "config" / "compliance")
    (tmp_path / "clients.csv").write_text(_CLIENTS, encoding="latin-1")
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    monkeypatch.delenv("CENTRALITA_STATE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_list_is_looked_at_brought_in_shown_and_taken_back(project: Path) -> None:
    file = str(project / "clients.csv")
    shown = json.loads(run("lists", "preview", file, "--json").stdout)
    assert [column["target"] for column in shown["columns"]] == ["external_id", "name", "phone", "phone"]
    assert (shown["looked_at"], shown["taken"]) == (3, 2)
    asked = run("lists", "import", file, "--list", "spring")
    assert asked.exit_code == 2
    assert "add --yes" in asked.output
    done = run("lists", "import", file, "--list", "spring", "--yes", "--language", "es")
    assert done.exit_code == 0, done.output
    assert "2 added, 1 rejected" in done.output
    page = run("lists", "show", "spring")
    assert "2 new" in page.output
    about = json.loads(run("lists", "show", "spring", "--json").stdout)
    assert about["leads"] == {"new": 2}
    job = about["imports"][0]["job_id"]
    rejects = (project / "var" / "imports" / f"{job}.csv").read_text("utf-8-sig")
    assert "3;Móvil;rechazada;112 es un número de emergencias: nunca se llama;A2;Luis;112;" in rejects
    export = run("lists", "export", "spring", "-o", "-").stdout.splitlines()
    assert len(export) == 3
    assert "+34612345678 +34911234567" in export[1]
    assert run("lists", "undo", job, "--yes").output.startswith("2 leads gone")
    assert "no leads" in run("lists", "show", "spring").output
    assert run("lists", "delete", "spring", "--yes").exit_code == 0
    assert "There is no list yet" in run("lists", "show").output


def test_a_spreadsheet_takes_nothing_of_an_exported_list_for_a_formula(project: Path) -> None:
    file = project / "odd.csv"
    file.write_text("name;phone\n=HYPERLINK(1);+34612345678\n", "utf-8")
    assert run("lists", "import", str(file), "--list", "odd", "--yes").exit_code == 0
    _, row = run("lists", "export", "odd").stdout.splitlines()
    assert ",'=HYPERLINK(1)," in row
    assert ",+34612345678," in row


@pytest.mark.parametrize(
    ("language", "said", "foreign"),
    [
        ((), ("headers in row 1", "would become leads", "112 is an emergency number"), ("fila", "número de")),
        (("--language", "en"), ("The first leads", "112 is an emergency number"), ("fila", "número de")),
        (
            ("--language", "es"),
            ("cabeceras en la fila 1", "Los primeros contactos", "serían contactos", "112 es un número de emergencias"),
            ("rows", "would", "emergency", "time zone", "for example", "ground"),
        ),
    ],
)
def test_a_preview_speaks_one_language(
    project: Path, language: tuple[str, ...], said: tuple[str, ...], foreign: tuple[str, ...]
) -> None:
    page = run("lists", "preview", str(project / "clients.csv"), *language).output
    assert all(each in page for each in said), page
    assert not any(each in page for each in foreign), page


def test_what_is_wrong_with_a_file_is_said_in_its_language(project: Path) -> None:
    (project / "notes.csv").write_text("Nota;Otra\nhola;adiós\n")
    words = ("lists", "preview", str(project / "notes.csv"))
    assert "no column is a phone number" in run(*words).output
    assert "no column is" not in run(*words, "--language", "es").output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("lists", "import", "nothing.csv", "--list", "a", "--yes"), 1, "cannot be read"),
        (("lists", "import", "clients.csv", "--list", "A b", "--yes"), 2, "write small letters"),
        (
            ("lists", "import", "clients.csv", "--list", "a", "--yes", "--duplicates", "x"),
            2,
            "choose update, skip, allow",
        ),
        (("lists", "import", "clients.csv", "--list", "a", "--yes", "--map", "phone"), 2, "write WHAT=COLUMN"),
        (
            ("lists", "import", "clients.csv", "--list", "a", "--yes", "--map", "phone=Tlf"),
            1,
            "there is no column 'Tlf'",
        ),
        (("lists", "import", "clients.csv", "--list", "a", "--yes", "--country", "Spain"), 2, "a country's code"),
        (("lists", "import", "words.csv", "--list", "a", "--yes"), 1, "no column is a phone number"),
        (("lists", "show", "a"), 1, "there is no list a"),
        (("lists", "resume", "j0"), 1, "there is no import j0"),
        (("lists", "undo", "j0", "--yes"), 1, "not known"),
        (("dnc", "import", "clients.csv", "--register", "robinson"), 2, "--as-of DATE is missing"),
        (
            ("dnc", "import", "clients.csv", "--register", "es-robinson", "--as-of", "soon", "--column", "Fijo"),
            2,
            "2026-11-20",
        ),
        (
            ("dnc", "import", "clients.csv", "--register", "A/B", "--own", "--as-of", "2026-11-20", "--column", "Fijo"),
            1,
            "no name",
        ),
        (("dnc", "add", "112"), 2, "emergency number"),
        (("dnc", "forget", "robinson"), 1, "there is no register"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    project: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(project)
    (project / "words.csv").write_text("a;b\nx;y\n")
    result = run(*words)
    assert said in result.output
    assert result.exit_code == code


def test_numbers_nobody_calls(project: Path) -> None:
    numbers = project / "numbers.txt"
    numbers.write_text("612345000\n+34612345001\n112\n")
    done = run("dnc", "import", str(numbers), "--register", "es-robinson", "--as-of", "2026-11-20")
    assert done.exit_code == 0, done.output
    assert "es-robinson has 2 numbers now, of 2026-11-20" in done.output
    assert "row 3: 112 is an emergency number" in done.output
    assert "is not called any more" in run("dnc", "add", "612 345 678").output
    assert "2 numbers more" in run("dnc", "import", str(numbers), "--campaign", "c1").output
    shown = json.loads(run("dnc", "show", "--json").stdout)
    assert shown["ours"] == {"": 1, "c1": 2}
    assert "of 2026-11-20" in run("dnc", "show").output
    assert "our own list" in run("dnc", "show", "612345678").output
    assert "es-robinson" in run("dnc", "show", "612345000").output
    assert "may be called again" in run("dnc", "remove", "612345678").output
    assert "is on no list" in run("dnc", "show", "612345678").output
    assert run("dnc", "forget", "es-robinson").exit_code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lista-robinson", "did you mean 'es-robinson'? rules ask for es-robinson (es/lista_robinson); --own"),
        ("zzz", "knows it: rules ask for es-robinson (es/lista_robinson); --own imports one that no rule asks for"),
    ],
)
def test_a_register_that_no_rule_asks_for_is_taken_only_as_ones_own(project: Path, name: str, said: str) -> None:
    words = ("dnc", "import", str(project / "clients.csv"), "--register", name, "--as-of", "2026-11-20")
    refused = run(*words, "--column", "Fijo")
    assert refused.exit_code == 2
    assert said in " ".join(refused.output.split())
    assert "No list yet" in run("dnc", "show").output
    done = run(*words, "--column", "Fijo", "--own")
    assert done.exit_code == 0, done.output
    assert f"{name} has 1 number now" in done.output


def test_where_no_pack_asks_for_a_register_that_is_said(project: Path) -> None:
    (project / "config" / "compliance" / "es.yaml").unlink()
    words = ("dnc", "import", str(project / "clients.csv"), "--register", "es-robinson", "--as-of", "2026-11-20")
    refused = run(*words)
    assert (refused.exit_code, "no rule asks for any" in refused.output) == (2, True)


def test_refused_rows_are_in_the_language_of_the_preview_and_as_they_were(project: Path) -> None:
    (project / "clients.csv").write_text('Nombre;Móvil\nAna;612345678\nEva;"612345679\nLuis;112\n', encoding="latin-1")
    file = str(project / "clients.csv")
    assert "a quotation mark" in run("lists", "preview", file).output
    done = json.loads(run("lists", "import", file, "--list", "spring", "--yes", "--json").stdout)
    refused = Path(done["rejects"]).read_text("utf-8-sig")
    assert "rejected;" in refused
    assert "112 is an emergency number" in refused
    assert 'Eva;"""612345679"' in refused, "the row with its quotation mark that is never closed"


@pytest.mark.parametrize(
    "words",
    [
        ("dnc", "add", "612345678"),
        ("dnc", "remove", "612345678"),
        ("dnc", "import", "{file}"),
        ("lists", "import", "{file}", "--list", "spring", "--yes"),
    ],
)
def test_nothing_is_written_for_a_client_company_that_nobody_knows(project: Path, words: tuple[str, ...]) -> None:
    (project / "tenants" / "acme").mkdir(parents=True)
    said = run(*(word.format(file=project / "clients.csv") for word in words), "--tenant", "acmee")
    assert (said.exit_code, "there is no tenant 'acmee': did you mean 'acme'?" in said.output) == (2, True), said.output
