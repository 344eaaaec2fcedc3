"""Publication of the outputs. `output_files.py` lists them; `outputs.py` writes them together."""
