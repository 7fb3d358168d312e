"""The server around the channels: processes, the edge of each request, metrics, readiness."""
