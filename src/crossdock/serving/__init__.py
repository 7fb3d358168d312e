"""The processes of a server: started, watched and stopped; where they can be reached."""
