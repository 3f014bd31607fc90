"""What mitmproxy loads.  Nothing imports from here."""
