"""The broker rings the bell: it says that steps are ready, holds nothing, and may lose
everything.
"""
