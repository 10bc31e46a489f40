"""How fast the account API is, beside a bare Django REST framework view. See README.md."""
