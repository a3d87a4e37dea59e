"""What each net can be told, without torch: sweeps are read where nothing is trained."""
