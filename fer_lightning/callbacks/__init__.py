"""What watches training without being part of a system: logs, pictures, checkpoints, guards."""
