"""What a finished network is handed on as."""
