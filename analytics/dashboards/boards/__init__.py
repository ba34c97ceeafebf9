"""The pages of figures, one module each: what it is asked for in, what it shows out."""
