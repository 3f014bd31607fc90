"""How traffic gets to us on a router: what is set up, what keeps it safe, and how it is taken back."""
