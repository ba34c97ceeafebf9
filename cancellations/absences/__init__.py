"""Who did not come: what is known of it, what HR decides, and the record candidates see."""
