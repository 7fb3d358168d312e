"""What resellers earn by orders that they brought."""
