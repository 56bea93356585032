"""The domain of visits at the centre: what the facts mean, who may decide what, what the board shows.

Plain Python: no web, no MQTT, no SQL. `store` keeps these values, `console` shows them.
"""
