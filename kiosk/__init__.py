"""The terminals: what every station has, the visitors' lobby, the guards' gate."""
