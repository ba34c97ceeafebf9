"""Bringing interviews in from files: CSV or XLSX, described by a mapping.

`files` opens a file safely, `mapping` says what its columns mean, `rows` turns a row into a record
or says what is wrong with it, `store` writes records by the batch, `engine` runs the whole.
"""
