"""Settings by concern: the only readers of the environment."""
