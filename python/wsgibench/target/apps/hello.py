"""The 40-byte HTML page of the published benchmarks."""

PAGE = b"<html><body>Hello, World!</body></html>\n"


def task():
    return PAGE


def application(environ, start_response):
    start_response(
        "200 OK",
        [("Content-Type", "text/html"), ("Content-Length", str(len(PAGE)))],
    )
    return [PAGE]
