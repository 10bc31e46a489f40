"""The example site with the views that the account API is compared with."""
