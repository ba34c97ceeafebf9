"""What business intelligence tools read with SQL: views of the cells, in a schema of their own."""
