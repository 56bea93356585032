"""What both windows are made of: theme, fonts, controls, keyboards, words. Nothing here knows a visit."""
