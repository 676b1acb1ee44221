"""One application in each framework, with the same routes.

Each has::

    GET  /hello?name=N     "Hello N"
    GET  /name/N           N, from the decoded path
    POST /form             the form as JSON
    POST /upload           multipart file "data": its SHA-256
    POST /raw              the raw body's SHA-256
    GET  /stream?blocks=N  N blocks of BLOCK, length unknown
    GET  /file             the file DATA names
    GET  /cookies          two Set-Cookie fields
    GET  /fail             raises
"""

import os

BLOCK = b"0123456789abcdef" * 256
#: A file that the test has made.
DATA = os.environ.get("WSGIBENCH_TEST_DATA", __file__)
