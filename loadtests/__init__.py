"""Load: how fast the service is beside others (`bench`), whether it leaks (`soak`), and a crowd at it (`run`)."""
