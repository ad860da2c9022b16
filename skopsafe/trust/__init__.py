"""Who may be built: `tables` are the reviewed names, `audit` the verdict on one Document.

Tables are TOML files under ``tables/``, one per library; each entry has its reason.
"""
