"""One folder per department. The registry finds them; nothing else names them."""
