"""What makes the body: write(), iterables, and what is neither."""

from __future__ import absolute_import

import time

from wsgibench_audit.behaviours.kit import TEXT, Closing, note, query

# ---- write() ---------------------------------------------------------------


def write_first(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"written ")
    write(b"")
    write(b"twice ")
    return [b"returned"]


def write_length(environ, start_response):
    write = start_response("200 OK", [TEXT, ("Content-Length", "15")])
    write(b"written ")
    return [b"returned"[:7]]


# ---- iterables -------------------------------------------------------------


PARTS = [b"one ", b"", b"two ", b"three"]


class Sequence(object):
    """Only __getitem__: iter() takes it."""

    def __getitem__(self, index):
        return PARTS[index]


def of_list(environ, start_response):
    start_response("200 OK", [TEXT])
    return list(PARTS)


def of_tuple(environ, start_response):
    start_response("200 OK", [TEXT])
    return tuple(PARTS)


def of_generator(environ, start_response):
    start_response("200 OK", [TEXT])
    return (part for part in PARTS)


def of_sequence(environ, start_response):
    start_response("200 OK", [TEXT])
    return Sequence()


def of_iterator(environ, start_response):
    start_response("200 OK", [TEXT])
    return Closing(PARTS)


def one_part(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"one part"]


def no_parts(environ, start_response):
    start_response("200 OK", [TEXT])
    return []


def empty_part(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b""]


def many_parts(environ, start_response):
    start_response("200 OK", [TEXT])
    return (b"x" for _ in range(3000))


def big_block(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"0123456789abcdef" * (1 << 19)]


def echo(environ, start_response):
    """Answers while it reads."""
    stream = environ["wsgi.input"]
    start_response("200 OK", [TEXT])

    def parts():
        while True:
            part = stream.read(8192)
            if not part:
                return
            yield part

    return parts()


def close_fails(environ, start_response):
    class Failing(Closing):
        def close(self):
            note("closed")
            raise ValueError("close() fails")

    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return Failing([b"body"])


def closing(environ, start_response):
    status = query(environ) or "200 OK"
    start_response(status.replace("+", " "), [TEXT])
    return Closing([b"one", b"two"])


class Apart(object):
    """An iterable with close() whose iterator is another object, as the
    responses of Django and Werkzeug are."""

    def __iter__(self):
        return iter([b"one", b"two"])

    def close(self):
        note("closed")


def closing_apart(environ, start_response):
    start_response("200 OK", [TEXT])
    return Apart()


def endless(environ, start_response):
    start_response("200 OK", [TEXT])

    def parts():
        sent = 0
        try:
            while sent < 1 << 30:
                sent += 65536
                yield b"x" * 65536
        finally:
            note("stopped", sent)

    return parts()


def in_parts(environ, start_response):
    """Half of it at once, the rest a second later."""
    part = b"x" * 65536
    start_response("200 OK", [TEXT, ("Content-Length", str(2 * len(part)))])

    def parts():
        yield part
        time.sleep(1.0)
        yield part

    return parts()


# ---- what is returned ------------------------------------------------------


def returns(environ, start_response):
    kinds = {"none": None, "int": 1, "str": "text", "true": True}
    start_response("200 OK", [TEXT])
    return kinds[query(environ)]


def yields(environ, start_response):
    kinds = {"none": None, "int": 1, "str": "\u20ac"}
    start_response("200 OK", [TEXT])
    return [kinds[query(environ)]]
