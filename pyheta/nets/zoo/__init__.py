"""The nets themselves, one file each: torch modules, ridge regression, naive forecasts."""
