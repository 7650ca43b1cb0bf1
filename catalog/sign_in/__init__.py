"""Sign-in, sign-up and everything around passwords, by django-allauth: what this site does differently."""
