import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import SearchTerm
from catalog.text import fold, is_near, search_terms

LETTERS = "abcdeñ七0"
words = st.text(LETTERS, min_size=3, max_size=9)


def edits(word: str) -> set[str]:
    """Every text one letter away, by the definition."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    changed = {left + right[1:] for left, right in cuts if right}
    changed |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    changed |= {left + letter + right[1:] for left, right in cuts if right for letter in LETTERS}
    changed |= {left + letter + right for left, right in cuts for letter in LETTERS}
    return changed - {word}


@given(words, words)
def test_near_is_one_letter_more_less_other_or_swapped(one, other):
    assert is_near(one, other) == (other in edits(one)) == is_near(other, one)


@given(words)
def test_every_edit_is_near(word):
    assert all(is_near(word, other) for other in edits(word))
    assert not is_near(word, word)


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["abc", "abcd", "abcde", "七0ñ", "=abcd", "abcdeñ"])
def test_every_term_one_letter_away_is_looked_up(word):
    SearchTerm.objects.learn([" ".join(edits(word)), "far away from it all"])

    assert set(SearchTerm.objects.near([word])[word]) == edits(word)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Đảo", "dao"), ("Ærø & Straße", "aero strasse"), ("℡_İ", "tel i"), ("L'Œuvre", "l oeuvre"), ("?!", "")],
)
def test_letters_fold_to_plain_ones(text, folded):
    assert fold(text) == folded


@given(st.text(max_size=40))
def test_folding_is_idempotent_and_leaves_single_spaces(text):
    folded = fold(text)

    assert fold(folded) == folded
    assert folded == " ".join(folded.split())


@given(st.lists(st.text(max_size=30), max_size=4))
def test_terms_stand_between_spaces_each_once(names):
    terms = search_terms(names).split()

    assert len(terms) == len(set(terms))
    assert search_terms(names) == (f" {' '.join(terms)} " if terms else "")
    assert not set("'\\&|!:*() ") & set("".join(terms))
