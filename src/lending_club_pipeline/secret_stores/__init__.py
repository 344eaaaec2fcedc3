"""Secrets in the secret managers of clouds: settings refer to them; they are read when used."""
