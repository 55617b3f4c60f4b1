"""Router: watches a shop's sessions, decides within milliseconds, routes a live chat to the right agent."""

__version__ = "0.1.0"
