"""Charts as numbers: what is drawn, and how sure each number is. One module a family of charts."""
