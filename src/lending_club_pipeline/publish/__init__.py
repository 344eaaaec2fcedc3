"""Publication of the outputs. `output_files.py` lists them; `publication.py` writes them together."""
