"""Models and calls, written out of the API's description."""
