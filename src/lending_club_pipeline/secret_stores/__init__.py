"""Secrets that stand in a manager of a cloud: a setting names them, whoever uses it reads them."""
