"""The guards' screen: one verdict at a time, readable at two metres; signs for what isn't as it should be."""
