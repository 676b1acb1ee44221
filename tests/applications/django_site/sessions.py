"""Visitors of the site log in, as a browser does."""

import http.cookiejar
import re
import urllib.parse
import urllib.request


def log_in(url, visitors):
    return [one(url, number) for number in range(visitors)]


def one(url, number):
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(jar)
    )
    page = opener.open(url + "/login").read().decode()
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)
    form = {
        "csrfmiddlewaretoken": token.group(1),
        "username": "visitor%d" % (number % 16),
        "password": "secret",
    }
    opener.open(url + "/login", urllib.parse.urlencode(form).encode())
    cookies = {cookie.name: cookie.value for cookie in jar}
    assert "sessionid" in cookies, "the login failed"
    pairs = ["%s=%s" % item for item in sorted(cookies.items())]
    return {"Cookie": "; ".join(pairs), "{csrf}": cookies["csrftoken"]}
