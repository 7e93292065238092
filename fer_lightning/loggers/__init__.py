"""Where measures go while a model trains: a file always, and windows on it."""
