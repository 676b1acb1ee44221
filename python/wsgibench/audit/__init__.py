"""Is a server right? Cases described as data, and what must become of them.

wire/ holds raw conversations with a server, http/ the HTTP/1.1 cases. Knows
HTTP and WSGI, and nothing of any server's inside.
"""
