"""The review of trusted classes and functions: what their source does with a stranger's state."""
