from .custom import GatedPool, Swish

__all__ = ["GatedPool", "Swish"]
