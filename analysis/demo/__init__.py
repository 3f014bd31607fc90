"""A made-up vendor cloud, media server and app on loopback, for `phonehome demo`.

They do what the real ones do, over real TLS and through the real proxy.  Every name, number and title is invented.
"""
