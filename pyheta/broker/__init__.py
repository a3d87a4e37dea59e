"""The broker says that steps are ready. It holds no truth and may lose every message."""
