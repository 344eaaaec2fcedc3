"""Folders and object stores, from which deliveries are read and to which outputs are written.

Here is only how files are stored. The list of the output files is `publish/output_files.py`.
"""
