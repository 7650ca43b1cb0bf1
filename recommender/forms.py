from django import forms

from catalog.models import Movie
from recommender.models import Feedback


class FeedbackForm(forms.Form):
    kind = forms.ChoiceField(choices=Feedback.Kind.choices)
    movie = forms.ModelChoiceField(Movie.objects.all())
    request_id = forms.UUIDField(required=False)
