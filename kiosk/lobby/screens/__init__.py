"""The lobby's screens: each draws one step of a flow. They decide nothing; the session and its flows do."""
