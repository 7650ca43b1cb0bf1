from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext

from catalog.errors import InvalidImport
from catalog.imports.commit import commit_import
from catalog.imports.files import check_size
from catalog.imports.formats import FORMATS
from catalog.imports.lifecycle import create_import, read_import
from catalog.imports.mapping import MEANINGS
from catalog.imports.reading import QUESTIONS
from catalog.imports.report import file_lines, questions_of, sentences
from catalog.management.base import LongCommand
from catalog.models import User, UserImport
from catalog.progress import progress_bar

SHOWN = 20


class Command(LongCommand):
    help = (
        "Imports a user's ratings, viewings and watchlist from another site, as the page /import/ does. Nothing is "
        "written before the whole file has been read; running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the file, or the zip, that the site exports")
        parser.add_argument("--user", required=True, metavar="U", help="name of the user who receives the ratings")
        parser.add_argument("--format", required=True, choices=tuple(FORMATS))
        for option, (question, answers) in QUESTIONS.items():
            if answers:
                parser.add_argument(f"--{option}", choices=tuple(answers), help=f"if the file does not say: {question}")
        parser.add_argument(
            "--columns",
            nargs="+",
            metavar="COLUMN=MEANING",
            help=f"what columns of a CSV file mean: {', '.join(MEANINGS)}",
        )
        parser.add_argument("--dry-run", action="store_true", help="only show what it would change")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=User.normalize_username(options["user"])).first()
        if user is None:
            raise CommandError(f"User {options['user']!r} does not exist.")
        path: Path = options["path"]
        answers = {option: options[option] for option in QUESTIONS if options.get(option)}
        if "columns" in answers:
            answers["columns"] = _columns(answers["columns"])
        user_import = create_import(
            user=user, format=options["format"], name=path.name, content=_content(path), answers=answers
        )
        with progress_bar(
            total=user_import.n_rows, description="Reading", unit=" rows", shown=self.show_progress
        ) as bar:
            read_import(import_id=user_import.pk, on_progress=bar.update)
        user_import.refresh_from_db()
        if user_import.state != UserImport.State.READY:
            raise CommandError(
                f"{path}: {UserImport.State(user_import.state).label}; nothing was imported. The log says more."
            )
        self._report(user_import)
        if options["dry_run"]:
            user_import.delete()
            self.stdout.write("Nothing was written.")
        else:
            commit_import(user_import)
            self.stdout.write(f"{path.name}: imported for {user.username}.")

    def _report(self, user_import: UserImport) -> None:
        unmatched = user_import.rows.filter(movie=None)
        for row in unmatched[:SHOWN]:
            year = f" ({row.year})" if row.year else ""
            self.stderr.write(f"{row.file}, line {row.line}: {row.title}{year}: {row.reason}")
        if (more := unmatched.count() - SHOWN) > 0:
            self.stderr.write(f"... and {more:,} more")
        for asked in questions_of(user_import):
            self.stderr.write(f"{asked['about']}: {asked['question']} Say it with --{asked['option']}.")
        for line in [*file_lines(user_import), *sentences(user_import)]:
            self.stdout.write(f"{line}.")


def _columns(pairs: list[str]) -> dict[str, str]:
    if wrong := next((pair for pair in pairs if "=" not in pair), None):
        raise CommandError(f"--columns: expected COLUMN=MEANING; got {wrong!r}.")
    return {name: meaning for name, _equals, meaning in (pair.rpartition("=") for pair in pairs)}


def _content(path: Path) -> bytes:
    try:
        check_size(path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise InvalidImport(
            gettext("{file} cannot be read: {error}.").format(file=path, error=error.strerror)
        ) from None
