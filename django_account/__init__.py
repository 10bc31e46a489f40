"""An Appwrite-compatible Account API as one reusable Django app."""

__version__ = "0.1.0.dev0"
