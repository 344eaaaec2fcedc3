"""Publication. `output_files.py` lists the outputs; `publication.py` writes them together."""
