"""The pipeline over captures by the thousand: on this machine's cores, or on a cluster of Dask.

`run` leads; each capture is read by a process of its own (`child`) that may be lost, at the word of a worker
(`children`).  What was found lies in one file a capture (`store`), and in tables for everybody (`tables`).
"""
