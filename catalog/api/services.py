"""Where to watch: the site's streaming services, and a movie's offers."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny

from catalog.api.scopes import PUBLIC
from catalog.models import WatchService
from catalog.where_to_watch import streaming_services


class ServiceSerializer(serializers.ModelSerializer):
    id = serializers.IntegerField(help_text="Also TMDB's.", read_only=True)

    class Meta:
        model = WatchService
        fields = ["id", "name"]
        read_only_fields = fields


class WhereToWatchSerializer(serializers.Serializer[Any]):
    region = serializers.CharField(help_text="Code of ISO 3166-1.")
    link = serializers.URLField(help_text="TMDB's page with the offers.")
    credit = serializers.CharField(help_text="Whose data it is. Name it beside what you show.")
    stream = ServiceSerializer(many=True, help_text="With a subscription, for free or with advertising.")
    rent = ServiceSerializer(many=True)
    buy = ServiceSerializer(many=True)


class ServicesView(ListAPIView):
    """Services that stream movies in the site's region, the best known first. Empty on a site without a region."""

    permission_classes = [AllowAny]
    scopes = PUBLIC
    serializer_class = ServiceSerializer

    def get_queryset(self) -> QuerySet[WatchService]:
        return streaming_services()
