"""Which images of a set do not belong: ranked against a clean set, as a table and a page."""
