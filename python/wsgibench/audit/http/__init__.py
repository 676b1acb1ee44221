"""HTTP/1.1 conformance of a WSGI server, from outside: RFC 9110 and RFC 9112.

families/NAME.py holds the cases of one family; app.py is the application
behind them; delivery.py sends them whole, byte by byte and cut at every place.
"""
