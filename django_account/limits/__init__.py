"""How often something may be asked: rules, counters, and the devices that have their own."""
