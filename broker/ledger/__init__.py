"""The ledger as a whole, apart from its daily growth: verify it, make its views anew, drive again what was set aside,
back it up and restore it. Each is a command of `broker`; what a centre at work does with the log stands in `ingest`.
"""
