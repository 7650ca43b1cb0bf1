import pytest
from django.test import Client

from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def suggested(client: Client, text: str) -> str:
    response = client.get("/suggestions/", {"q": text}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "HX-Request" in response["Vary"]
    return response.content.decode()


def test_suggestions_lead_to_movies_and_to_all_results(client):
    movie = MovieFactory(title="Toy Story", year=1995)
    text = suggested(client, "toy st")

    assert f'href="{movie.get_absolute_url()}"' in text
    assert 'href="/movies/?q=toy%20st"' in text
    assert "<html" not in text


def test_at_most_eight_are_suggested_the_well_known_first(client):
    for count in range(12):
        MovieFactory(title=f"Saga {count}", rating_count=count)
    text = suggested(client, "saga")

    assert text.count("<li>") == 8 + 1
    assert text.index("Saga 11") < text.index("Saga 10") < text.index("Saga 4")
    assert "Saga 3" not in text


@pytest.mark.parametrize("text", ["", "t", "?"])
def test_less_than_two_letters_suggest_nothing(client, text):
    MovieFactory(title="Toy Story")

    assert "Toy Story" not in suggested(client, text)


@pytest.mark.parametrize("text", ["zzzz", "\x00", "x" * 1000, '"><script>alert(1)</script>'])
def test_what_is_not_there_or_makes_no_sense_is_harmless(client, text):
    answer = suggested(client, text)

    assert "<li>" not in answer
    assert "<script>" not in answer


def test_without_a_script_the_address_leads_to_the_results(client):
    assert client.get("/suggestions/?q=toy")["Location"] == "/movies/?q=toy"
