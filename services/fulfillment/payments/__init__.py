"""Payments: the signed way to a payment page, and what the page says of the money. No card data comes here."""
