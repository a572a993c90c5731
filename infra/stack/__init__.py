"""The local stack. `prerequisites` and `paths` need Python alone; the rest runs in .local/venv."""
