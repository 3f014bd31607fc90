"""The dashboard: pages on this machine alone, made on the server, that show calls as they happen and let search them.

It runs in a process of its own, never in the proxy's.

| module | knows |
|---|---|
| `kinds` | what a list shows of a call, and which calls are alike |
| `store` | the SQLite file behind the lists: calls, kinds of calls with their sums, words |
| `filters` | which calls are asked for: the address of a page and back |
| `origin` | where calls come from: captures that were read, or a ledger that may grow |
| `tree`, `curl` | one request as a tree, and as a command with its secrets masked |
| `notes` | what the user wrote: notes, names of devices, what he does not want to see |
| `gate` | who may ask: token, cookie, host, origin |
| `pages`, `server` | the pages, and tornado |
| `running` | the process, for who starts it |
"""
