"""Commands: people who sign in, and sales reps."""
