"""The route that describes the data quality of a date."""
