"""Making models smaller: pruning; and the model that shows it: data and training of the extraction model."""
