"""What arrives: finding a delivery, proving that it is whole, splitting it, or refusing it."""
