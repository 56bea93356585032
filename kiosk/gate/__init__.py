"""The guards' app: the lane's logic and ledger (no Kivy), and the window that shows the verdict."""
