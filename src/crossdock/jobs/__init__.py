"""Background work: jobs are rows written with the change they follow from."""
