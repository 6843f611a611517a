"""Rows of a list become leads, or are refused in words. Pure: no file is read here, no clock, no store is asked."""
