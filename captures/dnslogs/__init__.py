"""Logs of resolvers on the own network: which device asked for which name, and what it was told."""
