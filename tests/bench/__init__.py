"""The benchmark: Certrail beside reference pipelines that do the same job, in one run on the same servers.

`python -m tests.bench` prints the tables. `pipeline.py` is what a pipeline or an HTTP service implements to take part.
"""
