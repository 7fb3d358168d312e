"""General helpers without any knowledge of the shop."""
