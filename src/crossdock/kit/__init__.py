"""Small tools that know no shop word."""
