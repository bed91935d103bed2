"""Support code of the climate_model examples; not an example by itself."""
