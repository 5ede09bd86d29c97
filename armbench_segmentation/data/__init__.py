"""Images of totes and the masks of what lies in them."""
