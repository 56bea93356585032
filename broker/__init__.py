"""The service centre: broker, ingest, event log, views and console. Terminals know its `contract` only."""
