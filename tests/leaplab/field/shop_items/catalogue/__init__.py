from .items import COLOURS, GARMENTS, Item, make_items  # noqa: F401
