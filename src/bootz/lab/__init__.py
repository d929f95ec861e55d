"""All parties on one machine, wired only through their public doors."""
