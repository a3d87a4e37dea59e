"""Forecasting nets. Importing the package loads no torch."""
