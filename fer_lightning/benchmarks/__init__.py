"""Each piece of work beside what a user would otherwise do; the only place that judges speed."""
