"""Making models smaller, and the model that shows it: data and training of the extraction model."""
