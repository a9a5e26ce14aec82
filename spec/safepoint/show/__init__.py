"""What people see: paths, tables and reports."""
