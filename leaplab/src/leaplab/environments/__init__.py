"""Which interpreter an integration runs in, and the environments that leaplab makes for one."""
