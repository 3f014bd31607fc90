"""Many people's shared reports as one dataset, and what they say together.

`collect` takes posts in; `answers` asks the dataset; `site` writes what may be published.  Anybody may post anything:
a report can be forged, so a person counts once, however often he posts, and no single one carries a statement.
"""
