"""Records in a form for people; one module a format: ``render(record)``, and
``KINDS``, of which records, where these are not those of ``run``."""
