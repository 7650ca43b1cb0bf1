"""Sign-up and tokens. These views ignore authentication, so that an old token locks no one out."""

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authtoken.models import Token
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.serializers import CredentialsSerializer, SignUpSerializer, TokenSerializer
from catalog.errors import InvalidCredentials
from catalog.services import sign_up
from catalog.throttling import SignInThrottle, SignUpThrottle


class AccountsView(GenericAPIView):
    serializer_class = SignUpSerializer
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [SignUpThrottle]

    @extend_schema(description="Signs up. The account can ask for a token at once.", operation_id="accounts_create")
    def post(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = sign_up(**given.validated_data)
        return Response(self.get_serializer(user).data, status.HTTP_201_CREATED)


class TokenView(GenericAPIView):
    serializer_class = CredentialsSerializer
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [SignInThrottle]

    @extend_schema(
        description="The account's token, made when there is none. Send it as `Authorization: Token <token>`.",
        responses=TokenSerializer,
        operation_id="token_create",
    )
    def post(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(request, **given.validated_data)
        if user is None:
            raise InvalidCredentials
        token, _ = Token.objects.get_or_create(user=user)
        return Response(TokenSerializer({"token": token.key}).data)
