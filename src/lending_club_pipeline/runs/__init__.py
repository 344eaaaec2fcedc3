"""Business dates: `plan.py` decides what to do with them, `day_states.py` keeps their states."""
