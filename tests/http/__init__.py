"""HTTP/1.1 conformance of a WSGI server, from outside: RFC 9110 and RFC 9112.

families/NAME.py holds the cases of one family. test_rules.py delivers each
whole, byte by byte and cut at every place. `python -m tests.http --server
gunicorn` scores another server by the same set.
"""
