"""Pure functions of result files: records, statistics over seeds, tables and plots."""
