"""One file a kind of device: what it can do, in the terms of its user. A driver knows its protocol and a port."""
