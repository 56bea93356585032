"""The lobby's flows: plain Python, no Kivy, no ports, no disk, no clock of their own.

A flow is the current step and what is known so far; screens render it, touches, scripts and tests drive it the same
way: `fill`, `answer`, `back`, `abandon`. What must be done in the world (register, print, ask) the app does with the
desk, and tells the flow how it went.
"""
