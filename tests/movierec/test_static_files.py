"""Static files after `collectstatic`."""

import re

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

from movierec.static_files import StaticFilesStorage

PARTS = ("site.css", "colours.css", "cards.css")


@pytest.fixture
def sources(settings, tmp_path):
    folder = tmp_path / "source" / "css"
    folder.mkdir(parents=True)
    (folder / "site.css").write_text('@import "colours.css";\n@import "cards.css";\n')
    (folder / "colours.css").write_text(":root { --ink: black; }\n")
    (folder / "cards.css").write_text('.card { background: url("../star.svg"); }\n')
    (folder.parent / "star.svg").write_text("<svg/>")
    settings.STATICFILES_DIRS = [folder.parent]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = str(tmp_path / "static")
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": f"{StaticFilesStorage.__module__}.{StaticFilesStorage.__qualname__}"}
    }
    return folder


def collected() -> str:
    call_command("collectstatic", interactive=False, verbosity=0)
    name = staticfiles_storage.stored_name("css/site.css")
    assert re.fullmatch(r"css/site\.\w{12}\.css", name)
    return staticfiles_storage.open(name).read().decode()


def test_the_sheet_holds_what_it_imports(sources):
    text = collected()

    assert "@import" not in text
    assert text.index("--ink") < text.index(".card")
    assert re.search(r"\.\./star\.\w{12}\.svg", text)


def test_a_changed_part_reaches_the_sheet(sources):
    collected()
    (sources / "colours.css").write_text(":root { --ink: navy; }\n")

    assert "navy" in collected()


def test_an_import_of_a_missing_file_is_an_error(sources):
    (sources / "site.css").write_text('@import "missing.css";\n')

    with pytest.raises(KeyError, match="missing"):
        collected()
