"""Every format people have, read as one thing: a table of texts.

What stands behind it (casting, checks, rejects with the original text, line numbers, repeats) knows no format. A
format says how its cells are texts, and which number a row has for the person who looks into the file.
"""
