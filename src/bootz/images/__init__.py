"""Party: the depot. Keeps software images by their digest and serves them over HTTP and HTTPS.

Knows nothing of chassis: what is served, and who wants to hear of downloads, is told through
two ports.
"""
