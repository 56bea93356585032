"""The visitors' app: flows (no Kivy), the desk that carries them out, and the screens that draw them."""
