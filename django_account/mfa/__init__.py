"""Second factors: what a person proves besides the way they signed in."""
