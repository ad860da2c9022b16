"""Files of other formats, looked at without running anything of them."""
