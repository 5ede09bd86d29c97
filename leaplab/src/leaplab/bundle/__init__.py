"""What a push would upload: its files, its archive, and the proof that it runs on its own."""
