"""A corpus of pickles, made by code: malicious ones of every published family, and benign ones of libraries.

``python -m tests.corpus FOLDER`` writes all of it, for other scanners to look at.
"""
