"""Load: how fast the service is beside a bare echo (`bench`), and a crowd of shoppers and agents (`run`)."""
