"""HTTP/1.1 conformance of a WSGI server, from outside: RFC 9110 and RFC 9112.

families/NAME.py holds the cases of one family, application/ beside this folder
what serves them, judge.py what is wrong with an answer. The tests of our own
server send them byte by byte and cut at every place, too.
"""
