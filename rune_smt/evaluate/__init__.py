"""How well the parts do on data with known answers."""
