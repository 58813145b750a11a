"""What the papers publish, against what this project reaches, trained and measured by one command."""
