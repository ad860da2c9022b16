"""Pictures."""


def write(results): ...
